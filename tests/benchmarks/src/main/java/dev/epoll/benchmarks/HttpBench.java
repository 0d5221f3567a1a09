package dev.epoll.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A real protocol: the {@code http} example beside Netty's codec, both asked by wrk. */
final class HttpBench implements Bench {
  private static final int CONNECTIONS = 64;
  private static final int LIMIT_MILLIS = 10_000;

  /** Less idle than this share of a second, wrk is as slow as the server, or slower. */
  private static final double CLIENT_BOUND = 0.05;

  @Override
  public Findings run(Lab lab) {
    Peer ours = lab.peers().httpExample();
    Peer netty = lab.peers().nettyPlaintext();
    int planned = lab.effort().singleFigureRounds();
    Rounds<Asked> rounds = new Rounds<>(lab.effort(), planned, List.of(ours.name(), netty.name()));
    try (ServerProcess ourServer = ServerProcess.start(lab.machine(), ours);
        ServerProcess nettyServer = ServerProcess.start(lab.machine(), netty)) {
      List<ServerProcess> servers = new ArrayList<>(List.of(ourServer, nettyServer));
      servers.forEach(HttpBench::checkAnswer);
      for (int round = 1 - lab.effort().warmUps(); round <= planned; round++) {
        Progress.say("http: round %d of %d".formatted(round, planned));
        Map<String, Calm<Asked>> asked = new HashMap<>();
        servers.forEach(server -> asked.put(server.name(), ask(lab, server)));
        if (round > 0) {
          rounds.add(asked);
        }
        Collections.reverse(servers);
      }
    }
    Progress.clear();
    List<Figure> figures = List.of(figure(rounds, ours, netty), figure(rounds, netty, netty));
    print(figures);
    rounds.printDropped();
    Target target =
        Target.atLeast(
                1.3,
                "`http` example, /plaintext, wrk -c 64, to Netty's HTTP codec",
                figures.get(0).throughputToReference())
            .clientBound(figures.stream().anyMatch(it -> it.wrkIdle().median() < CLIENT_BOUND));
    return new Findings(List.of(target), figures);
  }

  private static Calm<Asked> ask(Lab lab, ServerProcess server) {
    return Calm.measure(
        lab.effort(),
        () -> Disturbance.watchServer(lab.machine(), server),
        () -> {
          long start = System.nanoTime();
          long cpu = server.cpuNanos();
          long idle = Machine.idleNanos(lab.machine().clientCore());
          Wrk.Result result = Wrk.run(url(server), CONNECTIONS);
          idle = Machine.idleNanos(lab.machine().clientCore()) - idle;
          cpu = server.cpuNanos() - cpu;
          return new Asked(result, cpu, (double) idle / (System.nanoTime() - start));
        });
  }

  private static Figure figure(Rounds<Asked> rounds, Peer server, Peer reference) {
    List<Asked> all = rounds.of(server.name());
    long cpuNanos = all.stream().mapToLong(Asked::cpuNanos).sum();
    long requests = all.stream().mapToLong(it -> it.result().requests()).sum();
    return new Figure(
        server.name(),
        reference.name(),
        rounds.ratio(server.name(), reference.name(), it -> it.result().perSecond()),
        rounds.spread(server.name(), it -> it.result().perSecond()),
        cpuNanos / 1000.0 / requests,
        rounds.spread(server.name(), Asked::wrkIdle),
        rounds.dropped());
  }

  private static void print(List<Figure> figures) {
    System.out.printf(
        "%n%-34s %-19s %-26s %7s %s%n",
        "http, 64 connections",
        "to " + figures.get(0).reference(),
        "requests/s",
        "CPU us",
        "wrk idle");
    for (Figure figure : figures) {
      System.out.printf(
          "%-34s %-19s %-26s %7.2f %.0f %%%n",
          figure.server(),
          figure.throughputToReference(),
          figure.requestsPerSecond().format(0),
          figure.cpuMicrosPerRequest(),
          figure.wrkIdle().median() * 100);
    }
  }

  private static void checkAnswer(ServerProcess server) {
    try {
      URLConnection connection = URI.create(url(server)).toURL().openConnection();
      connection.setConnectTimeout(LIMIT_MILLIS);
      connection.setReadTimeout(LIMIT_MILLIS);
      try (InputStream in = connection.getInputStream()) {
        String body = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        if (!body.equals("Hello, World!")) {
          throw new BenchmarkFailure(server.name() + " answers wrongly: " + body);
        }
      }
    } catch (IOException e) {
      throw new BenchmarkFailure(server.name() + " doesn't answer", e);
    }
  }

  private static String url(ServerProcess server) {
    return "http://127.0.0.1:%d/plaintext".formatted(server.port());
  }

  /** A server in one round. */
  private record Asked(Wrk.Result result, long cpuNanos, double wrkIdle) {}

  /** A server's figures over all rounds. */
  record Figure(
      String server,
      String reference,
      Spread throughputToReference,
      Spread requestsPerSecond,
      double cpuMicrosPerRequest,
      Spread wrkIdle,
      int droppedRounds) {}
}
