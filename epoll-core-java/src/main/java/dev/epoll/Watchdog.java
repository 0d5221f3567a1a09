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
  private static final long SHORTEST_NAP_NANOS = 1_000_000;

  /** What the progress is while the poller sleeps. */
  static final long ASLEEP = -1;

  private final Thread watched;
  private final Thread thread;
  private final long limitNanos;
  private final LongSupplier progress;
  private volatile boolean ended;

  /**
   * A watchdog of {@code watched}.
   *
   * @param progress changes with each event, timer and task, or is {@link #ASLEEP}
   */
  Watchdog(Thread watched, Duration limit, LongSupplier progress) {
    this.watched = watched;
    this.limitNanos = Time.nanos("limit", limit);
    this.progress = progress;
    thread = DedicatedThread.daemon(watched.getName() + "-watchdog", this::watch);
  }

  void start() {
    thread.start();
  }

  /** Ends its thread, at once. */
  void end() {
    ended = true;
    LockSupport.unpark(thread);
  }

  private void watch() {
    long nap = Math.max(limitNanos / LOOKS_PER_LIMIT, SHORTEST_NAP_NANOS);
    long seen = ASLEEP;
    long seenAt = 0;
    boolean isStalled = false;
    while (!ended) {
      LockSupport.parkNanos(this, nap);
      long now = System.nanoTime();
      long current = progress.getAsLong();
      if (current == ASLEEP || current != seen) {
        seen = current;
        seenAt = now;
        isStalled = false;
      } else if (!isStalled && now - seenAt >= limitNanos) {
        StackTraceElement[] stack = watched.getStackTrace();
        // Else it got on meanwhile, and the stack may be that of somebody innocent.
        isStalled = progress.getAsLong() == seen && !ended;
        if (isStalled) {
          report(now - seenAt, stack);
        }
      }
    }
  }

  private void report(long nanos, StackTraceElement[] stack) {
    Throwable where = new Throwable("where " + watched.getName() + " is");
    where.setStackTrace(stack);
    Log.warning(
        "a poller thread does not get on, and nobody is resumed meanwhile",
        "%s for %d ms".formatted(watched.getName(), nanos / 1_000_000),
        where);
  }
}
