package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How many messages a server on one core sends back, beside C and the JVM's other ways. */
final class EchoBench implements Bench {
  private static final int FEW = 64;
  private static final int MANY = 2000;

  @Override
  public Findings run(Lab lab) {
    Optional<Peer> c = lab.peers().cLevelTriggered();
    Peer ours = lab.peers().stream();
    Peer netty = lab.peers().netty();
    Peer ktor = lab.peers().ktor();
    List<Peer> servers = new ArrayList<>(c.stream().toList());
    servers.addAll(
        List.of(ours, netty, lab.peers().selector(), lab.peers().jdkVirtualThreads(), ktor));
    try (Sitting sitting = new Sitting(lab, servers)) {
      Turns few = sitting.measure(FEW);
      few.print(servers.get(0).name());
      Turns many = sitting.measure(MANY);
      many.print(servers.get(0).name());
      List<Target> targets = new ArrayList<>();
      c.ifPresent(
          it ->
              targets.add(
                  Target.atLeast(
                      0.97,
                      "echo, 64 connections, `stream` on the poller thread, to C level-triggered",
                      few.ratio(ours, it))));
      targets.add(Target.atLeast(1.08, "the same to Netty", few.ratio(ours, netty)));
      targets.add(
          Target.atLeast(1.25, "the same to Netty, 2000 connections", many.ratio(ours, netty)));
      targets.add(Target.atLeast(6, "the same to Ktor", few.ratio(ours, ktor)));
      targets.add(Target.atLeast(6, "the same to Ktor, 2000 connections", many.ratio(ours, ktor)));
      c.ifPresent(
          it ->
              targets.add(
                  Target.atMost(
                      1.3,
                      "",
                      "p99.9 of the latency, 2000 connections, to C level-triggered",
                      many.ratio(ours, it, Measurement::p999Micros))));
      List<Turns.Figure> figures = new ArrayList<>(few.figures());
      figures.addAll(many.figures());
      return new Findings(targets, figures);
    }
  }
}
