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
      figures.add(measure(lab, peer));
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

  /** Several times, each in a new process. */
  private static Figure measure(Lab lab, Peer peer) {
    List<Double> totals = new ArrayList<>();
    Map<String, Double> bytesByClass = Map.of();
    int connections = lab.effort().parkedConnections();
    for (int round = 1; round <= lab.effort().parkedRounds(); round++) {
      Progress.say("idle connections: round %d of %s".formatted(round, peer.name()));
      try (ServerProcess server = ServerProcess.start(lab.machine(), peer)) {
        Map<String, Long> bytes = parked(server, connections);
        totals.add(sum(bytes) / connections);
        bytesByClass = perConnection(bytes, connections);
      }
    }
    return new Figure(peer.name(), connections, Spread.of(totals), bytesByClass);
  }

  /** What {@code connections} have on the heap. */
  private static Map<String, Long> parked(ServerProcess server, int connections) {
    int descriptors = server.descriptors();
    try (LoadClient earlier = connect(server, EARLIER)) {
      earlier.run(200);
    }
    server.awaitDescriptors(descriptors);
    LiveHeap before = LiveHeap.of(server.pid());
    try (LoadClient client = connect(server, connections)) {
      client.greet();
      return LiveHeap.of(server.pid()).since(before);
    }
  }

  private static LoadClient connect(ServerProcess server, int connections) {
    return LoadClient.connect(server.name(), server.port(), connections);
  }

  private static double sum(Map<String, Long> bytes) {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
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
      System.out.printf("%-34s %s B%n", figure.server(), figure.bytesPerConnection().format(0));
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
        "Live heap per idle connection (JDK and Ktor: with 1 KiB for a buffer of the server's own)",
        "",
        "bytes, logarithmic",
        figures.stream()
            .map(it -> new Plot.Point("live heap", it.server(), it.bytesPerConnection().median()))
            .toList());
  }

  /**
   * A server's bytes.
   *
   * @param bytesByClass the classes with the largest share of them, the last time
   */
  record Figure(
      String server,
      int connections,
      Spread bytesPerConnection,
      Map<String, Double> bytesByClass) {}
}
