package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** How many messages a server on one core sends back, beside C and the JVM's other ways. */
final class EchoBench implements Bench {
  private static final int FEW = 64;
  private static final int MANY = 2000;

  /**
   * Numbers of connections that only the plot shows. None is small: a server that sleeps and wakes
   * all the time spends much of its core on neither itself nor nothing, which looks like a
   * disturbance.
   */
  private static final int[] OTHERS = {256, 1000};

  @Override
  public Findings run(Lab lab) {
    Peer ours = lab.peers().stream();
    Peer c = lab.peers().cLevelTriggered();
    Peer netty = lab.peers().netty();
    Peer ktor = lab.peers().ktor();
    List<Peer> servers =
        List.of(
            ours,
            c,
            lab.peers().withThreads(c),
            netty,
            lab.peers().selector(),
            lab.peers().jdkVirtualThreads(),
            ktor);
    try (Sitting sitting = new Sitting(lab, servers, c)) {
      Turns few = measure(sitting, FEW, lab.effort().turns(FEW));
      Turns many = measure(sitting, MANY, lab.effort().turns(MANY));
      List<Turns> all = new ArrayList<>(List.of(few, many));
      if (lab.effort().plotsOtherConnectionCounts()) {
        for (int connections : OTHERS) {
          all.add(measure(sitting, connections, lab.effort().plottedTurns()));
        }
      }
      System.out.println("\nLonger turns, for what is rare:");
      Turns forLatency = measure(sitting, MANY, lab.effort().longTurns());

      List<Target> targets =
          List.of(
              few.throughput(0.97, what(FEW, "C, level-triggered"), ours, c),
              few.throughput(1.08, what(FEW, "Netty"), ours, netty),
              many.throughput(1.25, what(MANY, "Netty"), ours, netty),
              few.throughput(6, what(FEW, "Ktor"), ours, ktor),
              many.throughput(6, what(MANY, "Ktor"), ours, ktor),
              Target.atMost(
                  1.3,
                  "",
                  "p99.9 of the latency at %d connections, to C, level-triggered".formatted(MANY),
                  Spread.of(
                      forLatency.figure(ours).p999Micros() / forLatency.figure(c).p999Micros())));
      List<Turns.Figure> figures =
          all.stream()
              .sorted(Comparator.comparingInt(Turns::connections))
              .flatMap(turns -> turns.figures().stream())
              .toList();
      return new Findings(
          targets,
          new Figures(figures, forLatency.figures()),
          List.of(throughput(figures), latency(forLatency.figures())));
    }
  }

  private static Turns measure(Sitting sitting, int connections, Pace pace) {
    Turns turns = sitting.measure(connections, pace);
    turns.print();
    return turns;
  }

  private static String what(int connections, String peer) {
    return "echo, %d connections, `stream` on the poller thread, to %s"
        .formatted(connections, peer);
  }

  private static Plot throughput(List<Turns.Figure> figures) {
    return Plot.lines(
        "echo-throughput.svg",
        "Echo of 64 bytes, one message under way per connection, one core",
        "connections (what is above one number was measured in turn; two numbers don't compare)",
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
      points.add(new Plot.Point(figure.server(), "p50", figure.p50Micros() / 1000));
      points.add(new Plot.Point(figure.server(), "p99", figure.p99Micros() / 1000));
      points.add(new Plot.Point(figure.server(), "p99.9", figure.p999Micros() / 1000));
    }
    return Plot.bars(
        "echo-latency.svg",
        "Latency of an echo, %d connections, one core".formatted(MANY),
        "",
        "milliseconds, logarithmic",
        points);
  }

  /** All turns, and the longer ones from which the latency of many connections is. */
  record Figures(List<Turns.Figure> turns, List<Turns.Figure> longTurns) {}
}
