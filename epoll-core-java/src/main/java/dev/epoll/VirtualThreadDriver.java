package dev.epoll;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** Runs a poller's rounds on a virtual thread, which goes to the end of its queue after each. */
final class VirtualThreadDriver implements PollerDriver {
  private final Method startVirtualThread;

  private VirtualThreadDriver(Method startVirtualThread) {
    this.startVirtualThread = startVirtualThread;
  }

  /**
   * The driver on this JDK, which is a {@code jdk}.
   *
   * @throws UnsupportedOperationException before JDK 21: 19 and 20 have the method, but it throws
   *     unless previews are enabled
   */
  static VirtualThreadDriver find(Runtime.Version jdk) {
    if (jdk.feature() < 21) {
      throw new UnsupportedOperationException(
          "virtual threads need JDK 21 or newer: this is " + jdk);
    }
    try {
      // By name, because this is compiled for JDK 17.
      return new VirtualThreadDriver(Thread.class.getMethod("startVirtualThread", Runnable.class));
    } catch (NoSuchMethodException e) {
      throw new UnsupportedOperationException("a JDK without Thread.startVirtualThread", e);
    }
  }

  @Override
  public void start(PollerRounds rounds) {
    try {
      startVirtualThread.invoke(null, (Runnable) () -> drive(rounds));
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("no virtual thread can be started", e);
    }
  }

  private static void drive(PollerRounds rounds) {
    try {
      while (!rounds.isOver()) {
        if (rounds.run()) {
          giveOthersTheirTurn();
        } else {
          sleep(rounds);
        }
      }
    } catch (Throwable e) {
      rounds.fail(e);
    }
  }

  private static void sleep(PollerRounds rounds) throws IOException {
    try {
      rounds.registration().blockOn(rounds::arm);
    } catch (InterruptedException e) {
      // A task interrupted the thread that it runs on, which is nothing to the poller.
    }
  }

  // For a virtual thread yield has a meaning: to the end of the carrier's queue.
  @SuppressWarnings("ThreadPriorityCheck")
  private static void giveOthersTheirTurn() {
    Thread.yield();
  }
}
