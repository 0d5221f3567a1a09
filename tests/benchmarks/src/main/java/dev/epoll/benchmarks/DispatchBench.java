package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** What it costs to resume on other threads than the poller's, beside the JDK's own way. */
final class DispatchBench implements Bench {
  @Override
  public Findings run(Lab lab) {
    Peer jdk = lab.peers().jdkVirtualThreads();
    Peer coroutines = lab.peers().streamOnDefault("sub");
    Peer blocking = lab.peers().blocking("sub");
    List<Peer> servers =
        List.of(
            jdk,
            coroutines,
            lab.peers().streamOnDefault("own"),
            blocking,
            lab.peers().blocking("own"));
    List<Target> targets = new ArrayList<>();
    List<Turns.Figure> figures = new ArrayList<>();
    try (Sitting sitting = new Sitting(lab, servers, jdk)) {
      for (int connections : new int[] {64, 2000}) {
        Turns turns = sitting.measure(connections, lab.effort().turns(connections));
        turns.print();
        targets.add(
            turns.throughput(
                1.12,
                "echo, %d connections, on Dispatchers.Default, to JDK virtual threads"
                    .formatted(connections),
                coroutines,
                jdk));
        targets.add(
            turns.throughput(
                1.18,
                "echo, %d connections, blocking() on virtual threads, to JDK virtual threads"
                    .formatted(connections),
                blocking,
                jdk));
        figures.addAll(turns.figures());
      }
    }
    return new Findings(targets, figures);
  }
}
