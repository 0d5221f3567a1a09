package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** How many messages a server on one core sends back, beside C and the JVM's other ways. */
final class EchoBench implements Bench {
  private static final int FEW = 64;
  private static final int MANY = 2000;

  private static final int[] OTHERS = {1, 16, 256};
  private static final int[] NONE = {};

  @Override
  public Findings run(Lab lab) {
    Peer ours = lab.peers().stream();
    Peer netty = lab.peers().netty();
    Peer ktor = lab.peers().ktor();
    Optional<Peer> c = lab.peers().cLevelTriggered();
    List<Peer> servers = new ArrayList<>(List.of(ours));
    c.ifPresent(servers::add);
    servers.addAll(List.of(netty, lab.peers().selector(), lab.peers().jdkVirtualThreads(), ktor));
    try (Sitting sitting = new Sitting(lab, servers)) {
      Turns few = sitting.measure(FEW);
      Turns many = sitting.measure(MANY);
      List<Turns> all = new ArrayList<>(List.of(few, many));
      for (int connections : lab.effort().plotsMore() ? OTHERS : NONE) {
        all.add(sitting.measure(connections));
      }
      all.sort(Comparator.comparingInt(Turns::connections));
      all.forEach(turns -> turns.print(c.orElse(netty).name()));

      List<Target> targets = new ArrayList<>();
      c.ifPresent(it -> targets.add(echo(0.97, "C, level-triggered", few.ratio(ours, it), FEW)));
      targets.add(echo(1.08, "Netty", few.ratio(ours, netty), FEW));
      targets.add(echo(1.25, "Netty", many.ratio(ours, netty), MANY));
      targets.add(echo(6, "Ktor", few.ratio(ours, ktor), FEW));
      targets.add(echo(6, "Ktor", many.ratio(ours, ktor), MANY));
      c.ifPresent(
          it ->
              targets.add(
                  Target.atMost(
                      1.3,
                      "",
                      "p99.9 of the latency at %d connections, to C, level-triggered"
                          .formatted(MANY),
                      many.ratio(ours, it, Measurement::p999Micros))));
      List<Turns.Figure> figures = all.stream().flatMap(turns -> turns.figures().stream()).toList();
      return new Findings(targets, figures, List.of(throughput(figures), latency(many.figures())));
    }
  }

  private static Target echo(double limit, String peer, Spread ratio, int connections) {
    return Target.atLeast(
        limit,
        "echo, %d connections, `stream` on the poller thread, to %s".formatted(connections, peer),
        ratio);
  }

  private static Plot throughput(List<Turns.Figure> figures) {
    return Plot.lines(
        "echo-throughput.svg",
        "Echo of 64 bytes, one message under way per connection, one core",
        "connections",
        "messages per second",
        figures.stream()
            .map(
                it ->
                    new Plot.Point(
                        it.server(),
                        Integer.toString(it.connections()),
                        it.messagesPerSecond().median()))
            .toList());
  }

  private static Plot latency(List<Turns.Figure> figures) {
    List<Plot.Point> points = new ArrayList<>();
    for (Turns.Figure figure : figures) {
      points.add(new Plot.Point(figure.server(), "p50", figure.p50Micros().median() / 1000));
      points.add(new Plot.Point(figure.server(), "p99", figure.p99Micros().median() / 1000));
      points.add(new Plot.Point(figure.server(), "p99.9", figure.p999Micros().median() / 1000));
    }
    return Plot.bars(
        "echo-latency.svg",
        "Latency of an echo, %d connections, one core".formatted(MANY),
        "",
        "milliseconds, logarithmic",
        points);
  }
}
