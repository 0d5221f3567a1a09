package dev.epoll.benchmarks;

import org.HdrHistogram.Histogram;

/**
 * What a {@link LoadClient} did.
 *
 * @param messages how many were answered
 * @param millis for how long new ones were sent
 * @param latencies in nanoseconds, from before the send until after the receive
 * @param emptyPolls how often it asked in vain: none would mean that it is the bottleneck
 */
record Load(long messages, long millis, Histogram latencies, long emptyPolls) {}
