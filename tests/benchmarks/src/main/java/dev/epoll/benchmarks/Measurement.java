package dev.epoll.benchmarks;

/**
 * One server in one round.
 *
 * @param cpuNanos what the server used for all messages, counted ones or not
 */
record Measurement(Load load, long cpuNanos) {
  double messagesPerSecond() {
    return load.messages() * 1e9 / load.nanos();
  }

  double emptyPollsPerMessage() {
    return (double) load.emptyPolls() / load.messages();
  }
}
