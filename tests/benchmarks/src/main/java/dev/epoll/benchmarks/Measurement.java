package dev.epoll.benchmarks;

/** One server in one round. */
record Measurement(
    double messagesPerSecond,
    double cpuMicrosPerMessage,
    double p50Micros,
    double p99Micros,
    double p999Micros,
    double emptyPollsPerMessage,
    double disturbance) {

  static Measurement of(Load load, long cpuNanos, double disturbance) {
    return new Measurement(
        load.messages() * 1000.0 / load.millis(),
        cpuNanos / 1000.0 / load.messages(),
        load.latencies().getValueAtPercentile(50) / 1000.0,
        load.latencies().getValueAtPercentile(99) / 1000.0,
        load.latencies().getValueAtPercentile(99.9) / 1000.0,
        (double) load.emptyPolls() / load.messages(),
        disturbance);
  }
}
