package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A waiter that keeps what it is told, and then runs what the test wants of it. */
final class RecordingWaiter implements Waiter {
  /** What a waiter does in the middle of being told. */
  interface Reaction {
    void run() throws IOException;
  }

  private final List<Object> outcomes = new CopyOnWriteArrayList<>();
  private final CountDownLatch told = new CountDownLatch(1);
  private final Reaction reaction;

  RecordingWaiter() {
    this(() -> {});
  }

  RecordingWaiter(Reaction reaction) {
    this.reaction = reaction;
  }

  @Override
  public void ready(Readiness readiness) {
    tell(readiness);
  }

  @Override
  public void failed(IOException cause) {
    tell(cause);
  }

  private void tell(Object outcome) {
    outcomes.add(outcome);
    try {
      reaction.run();
    } catch (IOException e) {
      outcomes.add(e);
    } finally {
      told.countDown();
    }
  }

  boolean isTold() {
    return !outcomes.isEmpty();
  }

  /** Waits for the one outcome, which must be readiness. */
  Readiness readiness() {
    return only(Readiness.class);
  }

  /** Waits for the one outcome, which must be this failure. */
  <E extends IOException> E failure(Class<E> type) {
    return only(type);
  }

  private <T> T only(Class<T> type) {
    try {
      assertTrue(told.await(10, TimeUnit.SECONDS), "told nothing");
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertEquals(1, outcomes.size(), () -> "one outcome expected: " + outcomes);
    Object outcome = outcomes.get(0);
    assertTrue(type.isInstance(outcome), () -> "expected " + type + ": " + outcome);
    return type.cast(outcome);
  }
}
