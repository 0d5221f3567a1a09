package dev.epoll.benchmarks;

import org.HdrHistogram.Histogram;

/**
 * What a {@link LoadClient} saw while its window was open.
 *
 * @param nanos how long that was
 * @param latencies of all that was answered, in nanoseconds, from before the send until after the
 *     receive
 * @param emptyPolls how often it asked in vain: none would mean that it is the bottleneck
 * @param allMessages how many were answered, with those before and after
 */
record Load(long nanos, Histogram latencies, long emptyPolls, long allMessages) {
  /** How many were answered. */
  long messages() {
    return latencies.getTotalCount();
  }
}
