package dev.epoll.benchmarks;

import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * What was measured of several servers in turn, with one number of connections.
 *
 * @param rounds of each server, by its name; round i of one and of another were beside each other
 */
record Turns(int connections, Map<String, List<Measurement>> rounds) {
  /** Round by round, how {@code figure} of one server compares to that of another. */
  Spread ratio(String server, String reference, ToDoubleFunction<Measurement> figure) {
    List<Measurement> of = rounds.get(server);
    List<Measurement> to = rounds.get(reference);
    return Spread.of(
        IntStream.range(0, of.size())
            .mapToDouble(i -> figure.applyAsDouble(of.get(i)) / figure.applyAsDouble(to.get(i))));
  }

  /** The same for two servers. */
  Spread ratio(Peer server, Peer reference, ToDoubleFunction<Measurement> figure) {
    return ratio(server.name(), reference.name(), figure);
  }

  /** How the throughput of one server compares to that of another. */
  Spread ratio(Peer server, Peer reference) {
    return ratio(server.name(), reference.name());
  }

  /** The same by name. */
  Spread ratio(String server, String reference) {
    return ratio(server, reference, Measurement::messagesPerSecond);
  }

  /** The figures of each server, without the single rounds. */
  List<Figure> figures() {
    return rounds.keySet().stream().map(this::figure).toList();
  }

  private Figure figure(String server) {
    return new Figure(
        server,
        connections,
        spread(server, Measurement::messagesPerSecond),
        spread(server, Measurement::cpuMicrosPerMessage),
        spread(server, Measurement::p50Micros),
        spread(server, Measurement::p99Micros),
        spread(server, Measurement::p999Micros),
        spread(server, Measurement::emptyPollsPerMessage),
        spread(server, Measurement::disturbance));
  }

  private Spread spread(String server, ToDoubleFunction<Measurement> figure) {
    return Spread.of(rounds.get(server).stream().mapToDouble(figure));
  }

  /** Prints all, and throughput as a ratio to that of {@code reference}. */
  void print(String reference) {
    System.out.printf(
        "%n%-34s %-19s %8s %7s %8s %8s %9s %6s %5s%n",
        connections + (connections == 1 ? " connection" : " connections"),
        "to " + reference,
        "msg/s",
        "CPU us",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "polls",
        "other");
    for (Figure figure : figures()) {
      System.out.printf(
          "%-34s %-19s %8.0f %7.2f %8.0f %8.0f %9.0f %6.2f %4.0f%%%n",
          figure.server(),
          ratio(figure.server(), reference),
          figure.messagesPerSecond().median(),
          figure.cpuMicrosPerMessage().median(),
          figure.p50Micros().median(),
          figure.p99Micros().median(),
          figure.p999Micros().median(),
          figure.emptyPollsPerMessage().median(),
          figure.disturbance().max() * 100);
    }
  }

  /** A server's figures over all rounds. */
  record Figure(
      String server,
      int connections,
      Spread messagesPerSecond,
      Spread cpuMicrosPerMessage,
      Spread p50Micros,
      Spread p99Micros,
      Spread p999Micros,
      Spread emptyPollsPerMessage,
      Spread disturbance) {}
}
