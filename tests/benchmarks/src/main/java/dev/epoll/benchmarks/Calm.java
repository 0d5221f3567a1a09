package dev.epoll.benchmarks;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Something measured while nothing else had a core, as far as that could be had.
 *
 * @param result what was measured
 * @param disturbance the share of a core that something else had nevertheless
 */
record Calm<T>(T result, double disturbance) {
  private static final int TRIES = 8;
  private static final long PAUSE_NANOS = 100_000_000;

  /**
   * Measures until it is calm enough, and pauses longer each time. If it never is, the calmest
   * counts.
   */
  static <T> Calm<T> measure(Effort effort, Supplier<Disturbance> watch, Supplier<T> measurement) {
    Calm<T> calmest = once(watch, measurement);
    for (int i = 1; i < TRIES && calmest.disturbance > effort.disturbance(); i++) {
      Progress.say(
          "again, as something else had %.0f %% of a core".formatted(calmest.disturbance * 100));
      LockSupport.parkNanos(i * PAUSE_NANOS);
      Calm<T> next = once(watch, measurement);
      if (next.disturbance < calmest.disturbance) {
        calmest = next;
      }
    }
    return calmest;
  }

  private static <T> Calm<T> once(Supplier<Disturbance> watch, Supplier<T> measurement) {
    Disturbance disturbance = watch.get();
    T result = measurement.get();
    return new Calm<>(result, disturbance.share());
  }
}
