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

  static Measurement of(Load load, long cpuNanos) {
    return new Measurement(
        load.messages() * 1000.0 / load.millis(),
        cpuNanos / 1000.0 / load.messages(),
        load.latencies().getValueAtPercentile(50) / 1000.0,
        load.latencies().getValueAtPercentile(99) / 1000.0,
        load.latencies().getValueAtPercentile(99.9) / 1000.0,
        (double) load.emptyPolls() / load.messages(),
        0);
  }

  /** The same, with what was found out about its circumstances. */
  Measurement with(double disturbance) {
    return new Measurement(
        messagesPerSecond,
        cpuMicrosPerMessage,
        p50Micros,
        p99Micros,
        p999Micros,
        emptyPollsPerMessage,
        disturbance);
  }
}
