package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/** What was measured of servers in turn, with one number of connections. */
final class Turns {
  /** Asking in vain less often per message, the client is as slow as the server, or slower. */
  private static final double CLIENT_BOUND = 0.2;

  private final int connections;
  private final String reference;
  private final Rounds<Measurement> rounds;

  /** Each server's throughput is compared to that of {@code reference}. */
  Turns(int connections, String reference, Rounds<Measurement> rounds) {
    this.connections = connections;
    this.reference = reference;
    this.rounds = rounds;
  }

  int connections() {
    return connections;
  }

  /** That {@code server} has at least {@code limit} times the throughput of {@code other}. */
  Target throughput(double limit, String what, Peer server, Peer other) {
    return throughput(limit, what, server.name(), other.name());
  }

  /** The same by name. */
  Target throughput(double limit, String what, String server, String other) {
    Spread ratio = rounds.ratio(server, other, Measurement::messagesPerSecond);
    return Target.atLeast(limit, what, ratio)
        .clientBound(isClientBound(server) || isClientBound(other));
  }

  private boolean isClientBound(String server) {
    return rounds.spread(server, Measurement::emptyPollsPerMessage).median() < CLIENT_BOUND;
  }

  /** The figures of each server, without the single rounds. */
  List<Figure> figures() {
    List<Figure> figures = new ArrayList<>();
    rounds.names().forEach(server -> figures.add(figure(server)));
    return figures;
  }

  Figure figure(Peer server) {
    return figure(server.name());
  }

  private Figure figure(String server) {
    Histogram latencies = new Histogram(rounds.of(server).get(0).load().latencies());
    rounds.of(server).forEach(it -> latencies.add(it.load().latencies()));
    return new Figure(
        server,
        connections,
        rounds.of(server).size(),
        rounds.dropped(),
        reference,
        rounds.ratio(server, reference, Measurement::messagesPerSecond),
        rounds.spread(server, Measurement::messagesPerSecond),
        sum(server, Measurement::cpuNanos) / sum(server, it -> it.load().allMessages()) / 1000,
        micros(latencies, 50),
        micros(latencies, 99),
        micros(latencies, 99.9),
        rounds.spread(server, Measurement::emptyPollsPerMessage));
  }

  /** Of a sum over all rounds, as the kernel's clock of a process is too coarse for one. */
  private double sum(String server, ToDoubleFunction<Measurement> figure) {
    return rounds.of(server).stream().mapToDouble(figure).sum();
  }

  private static double micros(Histogram latencies, double percentile) {
    return latencies.getValueAtPercentile(percentile) / 1000.0;
  }

  void print() {
    System.out.printf(
        "%n%-34s %-19s %8s %7s %8s %8s %9s %6s%n",
        connections + (connections == 1 ? " connection" : " connections"),
        "to " + reference,
        "msg/s",
        "CPU us",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "polls");
    for (Figure figure : figures()) {
      System.out.printf(
          "%-34s %-19s %8.0f %7.2f %8.0f %8.0f %9.0f %6.2f%n",
          figure.server(),
          figure.throughputToReference(),
          figure.messagesPerSecond().median(),
          figure.cpuMicrosPerMessage(),
          figure.p50Micros(),
          figure.p99Micros(),
          figure.p999Micros(),
          figure.emptyPollsPerMessage().median());
    }
    rounds.printDropped();
  }

  /** A server's figures over all rounds. */
  record Figure(
      String server,
      int connections,
      int rounds,
      int droppedRounds,
      String reference,
      Spread throughputToReference,
      Spread messagesPerSecond,
      double cpuMicrosPerMessage,
      double p50Micros,
      double p99Micros,
      double p999Micros,
      Spread emptyPollsPerMessage) {}
}
