package dev.epoll.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A real protocol: the {@code http} example beside Netty's codec, both asked by wrk. */
final class HttpBench implements Bench {
  private static final int CONNECTIONS = 64;
  private static final int WARM_UPS = 3;

  @Override
  public Findings run(Lab lab) {
    if (!Wrk.isThere()) {
      System.err.println("There is no wrk: http is left out.");
      return Findings.NONE;
    }
    Peer ours = lab.peers().httpExample();
    Peer netty = lab.peers().nettyPlaintext();
    List<Double> ourRates = new ArrayList<>();
    List<Double> nettyRates = new ArrayList<>();
    try (ServerProcess ourServer = ServerProcess.start(lab.machine(), ours);
        ServerProcess nettyServer = ServerProcess.start(lab.machine(), netty)) {
      checkAnswer(ourServer);
      checkAnswer(nettyServer);
      for (int round = 1 - WARM_UPS; round <= lab.effort().launches(); round++) {
        Progress.say("http: round %d of %d".formatted(round, lab.effort().launches()));
        double ourRate = rate(lab, ourServer);
        double nettyRate = rate(lab, nettyServer);
        if (round > 0) {
          ourRates.add(ourRate);
          nettyRates.add(nettyRate);
        }
      }
    }
    Progress.clear();
    List<Figure> figures =
        List.of(
            new Figure(ours.name(), spread(ourRates)),
            new Figure(netty.name(), spread(nettyRates)));
    System.out.printf("%n%-34s %s%n", "http, 64 connections", "requests/s");
    for (Figure figure : figures) {
      System.out.printf("%-34s %.0f%n", figure.server(), figure.requestsPerSecond().median());
    }
    Spread ratio =
        Spread.of(
            IntStream.range(0, ourRates.size())
                .mapToDouble(i -> ourRates.get(i) / nettyRates.get(i)));
    return new Findings(
        List.of(
            Target.atLeast(
                1.3, "`http` example, /plaintext, wrk -c 64, to Netty's HTTP codec", ratio)),
        figures);
  }

  private static Spread spread(List<Double> rates) {
    return Spread.of(rates.stream().mapToDouble(Double::doubleValue));
  }

  private static double rate(Lab lab, ServerProcess server) {
    return Calm.measure(
            lab.effort(),
            () -> Disturbance.watchServer(lab.machine(), server),
            () -> Wrk.rate(url(server), CONNECTIONS))
        .result();
  }

  private static void checkAnswer(ServerProcess server) {
    try {
      URLConnection connection = URI.create(url(server)).toURL().openConnection();
      try (InputStream in = connection.getInputStream()) {
        String body = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        if (!body.equals("Hello, World!")) {
          throw new BenchmarkFailure(server.peer().name() + " answers wrongly: " + body);
        }
      }
    } catch (IOException e) {
      throw new BenchmarkFailure(server.peer().name() + " doesn't answer", e);
    }
  }

  private static String url(ServerProcess server) {
    return "http://127.0.0.1:%d/plaintext".formatted(server.port());
  }

  /** A server's figure. */
  record Figure(String server, Spread requestsPerSecond) {}
}
