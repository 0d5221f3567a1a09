package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Rounds of a poll loop, which tests wait for instead of for time. */
public final class Rounds {
  private Rounds() {}

  /** Returns once the poller has looked for events, and told those whom they concern, anew. */
  public static void pass(Poller poller) throws InterruptedException {
    long waits = poller.stats().waits();
    do {
      inPoller(poller, () -> {});
    } while (poller.stats().waits() < waits + 3);
  }

  /** Runs {@code task} on the poller thread and returns when it has run. */
  static void inPoller(Poller poller, Runnable task) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    poller.execute(
        () -> {
          try {
            task.run();
          } finally {
            done.countDown();
          }
        });
    assertTrue(done.await(30, TimeUnit.SECONDS), "the poller runs no tasks");
  }

  /** Fails if {@code waiter} is told anything in the rounds that follow. */
  static void assertSilent(Poller poller, RecordingWaiter waiter) throws InterruptedException {
    pass(poller);
    assertFalse(waiter.isTold(), "was told, though nothing happened");
  }
}
