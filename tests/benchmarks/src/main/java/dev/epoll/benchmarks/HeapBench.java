package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an idle connection costs: its share of the live heap, after it did one echo. */
final class HeapBench implements Bench {
  private static final int CLASSES = 20;

  /** Connections that were there before, so that what a server sets up once is not counted. */
  private static final int EARLIER = 64;

  @Override
  public Findings run(Lab lab) {
    Peers peers = lab.peers();
    Peer ours = peers.stream();
    List<Figure> figures = new ArrayList<>();
    for (Peer peer :
        List.of(ours, peers.selector(), peers.netty(), peers.jdkVirtualThreads(), peers.ktor())) {
      Progress.say("idle connections of " + peer.name());
      try (ServerProcess server = ServerProcess.start(lab.machine(), peer)) {
        figures.add(measure(server, lab.effort().parkedConnections()));
      }
    }
    Progress.clear();
    print(figures);
    return new Findings(
        List.of(
            Target.atMost(
                400,
                "B",
                "live heap per idle connection with a coroutine parked in `read`",
                figures.get(0).bytesPerConnection())),
        figures,
        List.of(plot(figures)));
  }

  private static Figure measure(ServerProcess server, int connections) {
    int descriptors = server.descriptors();
    try (LoadClient earlier = connect(server, EARLIER)) {
      earlier.run(200);
    }
    server.awaitDescriptors(descriptors);
    LiveHeap before = LiveHeap.of(server.pid());
    try (LoadClient client = connect(server, connections)) {
      client.run(0);
      LiveHeap after = LiveHeap.of(server.pid());
      double bytes = (double) (after.total() - before.total()) / connections;
      return new Figure(
          server.name(),
          connections,
          new Spread(bytes, bytes, bytes),
          perConnection(after.since(before), connections));
    }
  }

  private static LoadClient connect(ServerProcess server, int connections) {
    return LoadClient.connect(server.name(), server.port(), connections);
  }

  private static Map<String, Double> perConnection(Map<String, Long> bytes, int connections) {
    Map<String, Double> largest = new LinkedHashMap<>();
    bytes.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(CLASSES)
        .filter(entry -> entry.getValue() >= connections)
        .forEach(entry -> largest.put(entry.getKey(), (double) entry.getValue() / connections));
    return largest;
  }

  private static void print(List<Figure> figures) {
    System.out.printf("%n%-34s %s%n", "idle connection", "live heap");
    for (Figure figure : figures) {
      System.out.printf("%-34s %.0f B%n", figure.server(), figure.bytesPerConnection().median());
    }
    System.out.println("of the first:");
    figures
        .get(0)
        .bytesByClass()
        .forEach((type, bytes) -> System.out.printf("%10.0f B  %s%n", bytes, type));
  }

  private static Plot plot(List<Figure> figures) {
    return Plot.bars(
        "heap.svg",
        "Live heap per idle connection",
        "",
        "bytes, logarithmic",
        figures.stream()
            .map(it -> new Plot.Point("live heap", it.server(), it.bytesPerConnection().median()))
            .toList());
  }

  /**
   * A server's bytes.
   *
   * @param bytesByClass the classes with the largest share of them
   */
  record Figure(
      String server,
      int connections,
      Spread bytesPerConnection,
      Map<String, Double> bytesByClass) {}
}
