package dev.epoll;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Looks, from a thread of its own, whether a poller thread gets on, and logs it once each time that
 * it does not. What it looks at the poller counts anyway, so being watched costs nothing.
 *
 * <pre>
 *               no progress for the limit: logged
 *   GETS ON ------------------------------------------> STALLED
 *      ^                   progress, or asleep             |
 *      `---------------------------------------------------'
 * </pre>
 */
final class Watchdog {
  private static final int LOOKS_PER_LIMIT = 4;

  /** What the progress is while the poller sleeps. */
  static final long ASLEEP = -1;

  private final Thread watched;
  private final Thread thread;
  private final long limitNanos;
  private final LongSupplier progress;

  /**
   * A watchdog of {@code watched}, which lives as long.
   *
   * @param progress changes with each waiter and task, or is {@link #ASLEEP}
   */
  Watchdog(Thread watched, Duration limit, LongSupplier progress) {
    this.watched = watched;
    this.limitNanos = Time.nanos("limit", limit);
    this.progress = progress;
    thread = new Thread(null, this::watch, watched.getName() + "-watchdog", 0, false);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void watch() {
    long seen = ASLEEP;
    long seenAt = 0;
    boolean isStalled = false;
    while (watched.isAlive()) {
      LockSupport.parkNanos(this, limitNanos / LOOKS_PER_LIMIT);
      long now = System.nanoTime();
      long current = progress.getAsLong();
      if (current == ASLEEP || current != seen) {
        seen = current;
        seenAt = now;
        isStalled = false;
      } else if (!isStalled && now - seenAt >= limitNanos) {
        isStalled = true;
        report(now - seenAt);
      }
    }
  }

  private void report(long nanos) {
    Throwable stack = new Throwable("where " + watched.getName() + " is");
    stack.setStackTrace(watched.getStackTrace());
    Log.warning(
        "%s has been kept by a waiter or a task for %d ms; nobody else is resumed meanwhile"
            .formatted(watched.getName(), nanos / 1_000_000),
        stack);
  }
}
