package dev.epoll;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;

/** Runs a poller's rounds on a virtual thread, which goes to the end of its queue after each. */
final class VirtualThreadDriver implements PollerDriver {
  static final VirtualThreadDriver INSTANCE = new VirtualThreadDriver();

  private VirtualThreadDriver() {}

  @Override
  public void start(PollerRounds rounds) {
    try {
      // By name, because this is compiled for JDK 17.
      Thread.class
          .getMethod("startVirtualThread", Runnable.class)
          .invoke(null, (Runnable) () -> drive(rounds));
    } catch (NoSuchMethodException e) {
      throw new UnsupportedOperationException("virtual threads need JDK 21 or newer", e);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("no virtual thread can be started", e);
    }
  }

  private static void drive(PollerRounds rounds) {
    try {
      boolean wasQuiet = false;
      while (!rounds.isOver()) {
        boolean isQuiet = !rounds.run();
        if (isQuiet && wasQuiet) {
          rounds.registration().blockOn(rounds::arm);
        } else {
          giveOthersTheirTurn();
        }
        wasQuiet = isQuiet;
      }
    } catch (IOException | InterruptedException e) {
      rounds.fail(e);
    }
  }

  // For a virtual thread yield has a meaning: to the end of the carrier's queue.
  @SuppressWarnings("ThreadPriorityCheck")
  private static void giveOthersTheirTurn() {
    Thread.yield();
  }
}
