package dev.epoll;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Wakes a sleeping poller for its first timer, by a timer of the poller that it sleeps through.
 *
 * <p>It stays set from one sleep to the next, until it rings: most timers are timeouts that are
 * cancelled, and setting it for each sleep would wake the other poller's thread each time. One that
 * rings for a timer that is gone costs a round.
 *
 * <p>Thread: {@link #ringBy} and {@link #cancel} on one at a time; it rings on the other poller's.
 */
final class Alarm {
  private final Clock clock;
  private final Wakeup wakeup;
  private @Nullable Ring ring;
  private Cancellable timer = () -> false;

  Alarm(Clock clock, Wakeup wakeup) {
    this.clock = clock;
    this.wakeup = wakeup;
  }

  /** {@link Poller#schedule(Duration, Timers.Action)} of the other poller. */
  @FunctionalInterface
  interface Clock {
    Cancellable schedule(Duration delay, Timers.Action action) throws IOException;
  }

  private final class Ring implements Timers.Action {
    final long deadline;
    volatile boolean rang;

    Ring(long deadline) {
      this.deadline = deadline;
    }

    @Override
    public void due() {
      rang = true;
      wakeup.wake();
    }

    @Override
    public void ended(IOException cause) {
      // Whoever sleeps is told by its await, which ends with the same poller.
    }
  }

  /**
   * Sees to it that a sleep that has begun is ended at {@code deadline}, by {@link
   * System#nanoTime()}, or before.
   *
   * <p>Ordering: the sleep is published, then this looks whether the ring is still to come; who
   * rings says so, then looks for the sleep. Both are volatile, so one of the two sees the other.
   *
   * @throws IOException if the other poller has ended
   */
  void ringBy(long deadline) throws IOException {
    if (ring == null || ring.rang || ring.deadline - deadline > 0) {
      Ring next = new Ring(deadline);
      Cancellable replaced = timer;
      timer = clock.schedule(Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0)), next);
      ring = next;
      replaced.cancel();
    }
  }

  void cancel() {
    timer.cancel();
  }
}
