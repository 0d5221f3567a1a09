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

/**
 * A real protocol: the {@code http} example beside Netty's codec, and beside a server in C that
 * does not even look at what is asked, all asked by wrk.
 */
final class HttpBench implements Bench {
  private static final int CONNECTIONS = 64;

  /** How many requests are under way on a connection: what the target means, and a pipeline. */
  private static final List<Integer> PIPELINED = List.of(1, 16);

  private static final int LIMIT_MILLIS = 10_000;

  /** Less idle than this share of a second, wrk is as slow as the server, or slower. */
  private static final double CLIENT_BOUND = 0.05;

  @Override
  public Findings run(Lab lab) {
    List<Figure> figures = new ArrayList<>();
    try (ServerProcess ours = ServerProcess.start(lab.machine(), lab.peers().httpExample());
        ServerProcess netty = ServerProcess.start(lab.machine(), lab.peers().nettyPlaintext());
        ServerProcess c = ServerProcess.start(lab.machine(), lab.peers().cHttp())) {
      for (ServerProcess server : List.of(ours, netty, c)) {
        checkAnswer(server);
      }
      for (int pipelined : PIPELINED) {
        figures.addAll(measure(lab, pipelined, List.of(ours, netty, c), netty));
      }
    }
    Target target =
        Target.atLeast(
                1.3,
                "`http` example, /plaintext, wrk -c 64, to Netty's HTTP codec",
                figures.get(0).throughputToReference())
            .clientBound(figures.get(0).wrkIdle().median() < CLIENT_BOUND);
    return new Findings(List.of(target), figures);
  }

  private static List<Figure> measure(
      Lab lab, int pipelined, List<ServerProcess> servers, ServerProcess reference) {
    int planned = lab.effort().singleFigureRounds();
    Rounds<Asked> rounds =
        new Rounds<>(lab.effort(), planned, servers.stream().map(ServerProcess::name).toList());
    List<ServerProcess> order = new ArrayList<>(servers);
    for (int round = 1 - lab.effort().warmUps(); round <= planned; round++) {
      Progress.say("http, %d at once: round %d of %d".formatted(pipelined, round, planned));
      Map<String, Calm<Asked>> asked = new HashMap<>();
      order.forEach(server -> asked.put(server.name(), ask(lab, server, pipelined)));
      if (round > 0) {
        rounds.add(asked);
      }
      Collections.rotate(order, 1);
    }
    Progress.clear();
    List<Figure> figures =
        servers.stream().map(it -> figure(rounds, it.name(), reference.name(), pipelined)).toList();
    print(pipelined, figures);
    rounds.printDropped();
    return figures;
  }

  private static Calm<Asked> ask(Lab lab, ServerProcess server, int pipelined) {
    return Calm.measure(
        lab.effort(),
        () -> Disturbance.watchServer(lab.machine(), server),
        () -> {
          long start = System.nanoTime();
          long cpu = server.cpuNanos();
          long idle = Machine.idleNanos(lab.machine().clientCore());
          Wrk.Result result = Wrk.run(url(server), CONNECTIONS, pipelined);
          idle = Machine.idleNanos(lab.machine().clientCore()) - idle;
          cpu = server.cpuNanos() - cpu;
          return new Asked(result, cpu, (double) idle / (System.nanoTime() - start));
        });
  }

  private static Figure figure(
      Rounds<Asked> rounds, String server, String reference, int pipelined) {
    List<Asked> all = rounds.of(server);
    long cpuNanos = all.stream().mapToLong(Asked::cpuNanos).sum();
    long requests = all.stream().mapToLong(it -> it.result().requests()).sum();
    return new Figure(
        server,
        pipelined,
        reference,
        rounds.ratio(server, reference, it -> it.result().perSecond()),
        rounds.spread(server, it -> it.result().perSecond()),
        cpuNanos / 1000.0 / requests,
        rounds.spread(server, Asked::wrkIdle),
        rounds.dropped());
  }

  private static void print(int pipelined, List<Figure> figures) {
    System.out.printf(
        "%n%-34s %-19s %-26s %7s %s%n",
        "http, 64 connections, %d at once".formatted(pipelined),
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

  /** A server's figures over all rounds; {@code pipelined} requests at once on a connection. */
  record Figure(
      String server,
      int pipelined,
      String reference,
      Spread throughputToReference,
      Spread requestsPerSecond,
      double cpuMicrosPerRequest,
      Spread wrkIdle,
      int droppedRounds) {}
}
