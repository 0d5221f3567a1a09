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
  private static final int TRIES = 4;
  private static final long PAUSE_NANOS = 100_000_000;

  /** Measures until it is calm enough, but not for ever: whoever gets the result looks at it. */
  static <T> Calm<T> measure(Effort effort, Supplier<Disturbance> watch, Supplier<T> measurement) {
    Calm<T> measured = once(watch, measurement);
    for (int i = 1; i < TRIES && measured.disturbance > effort.disturbance(); i++) {
      LockSupport.parkNanos(i * PAUSE_NANOS);
      measured = once(watch, measurement);
    }
    return measured;
  }

  private static <T> Calm<T> once(Supplier<Disturbance> watch, Supplier<T> measurement) {
    Disturbance disturbance = watch.get();
    T result = measurement.get();
    return new Calm<>(result, disturbance.share());
  }
}
