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
    try (Sitting sitting = new Sitting(lab, servers)) {
      for (int connections : new int[] {64, 2000}) {
        Turns turns = sitting.measure(connections);
        turns.print(jdk.name());
        targets.add(
            Target.atLeast(
                1.12,
                "echo, %d connections, on Dispatchers.Default, to JDK virtual threads"
                    .formatted(connections),
                turns.ratio(coroutines, jdk)));
        targets.add(
            Target.atLeast(
                1.18,
                "echo, %d connections, blocking() on virtual threads, to JDK virtual threads"
                    .formatted(connections),
                turns.ratio(blocking, jdk)));
        figures.addAll(turns.figures());
      }
    }
    return new Findings(targets, figures);
  }
}
