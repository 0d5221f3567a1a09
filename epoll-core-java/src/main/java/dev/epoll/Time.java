package dev.epoll;

import java.time.Duration;

/** Durations as the nanoseconds that a wait counts in. */
final class Time {
  /**
   * About 146 years: far enough to mean "for ever" and near enough to be added to {@link
   * System#nanoTime()}.
   */
  static final long LONGEST_NANOS = Long.MAX_VALUE / 2;

  private static final Duration LONGEST = Duration.ofNanos(LONGEST_NANOS);

  private Time() {}

  /**
   * {@code duration} in nanoseconds, clamped to {@link #LONGEST_NANOS}; {@code name} is the
   * argument it came as.
   */
  static long nanos(String name, Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException(
          name
              + " is "
              + duration
              + ": give zero or more, or call the method that takes none to wait for ever");
    }
    return duration.compareTo(LONGEST) >= 0 ? LONGEST_NANOS : duration.toNanos();
  }
}
