package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Servers that are measured in turn, A B C A B C: the machine drifts, and only what is measured
 * within seconds of each other can be compared.
 */
final class Sitting implements AutoCloseable {
  private static final int WARM_UPS = 3;
  private static final int AGAIN = 5;

  private final Machine machine;
  private final Effort effort;
  private final List<ServerProcess> servers = new ArrayList<>();

  /** Starts all of {@code peers}. Those that are not having their turn cost nothing. */
  Sitting(Lab lab, List<Peer> peers) {
    this.machine = lab.machine();
    this.effort = lab.effort();
    try {
      for (Peer peer : peers) {
        Progress.say("starting " + peer.name());
        servers.add(ServerProcess.start(lab.machine(), peer));
      }
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /** Measures each with {@code connections}. */
  Turns measure(int connections) {
    List<LoadClient> clients = new ArrayList<>();
    Map<String, List<Measurement>> measured = new LinkedHashMap<>();
    try {
      for (ServerProcess server : servers) {
        String name = server.peer().name();
        measured.put(name, new ArrayList<>());
        Progress.say("%d connections: warming %s".formatted(connections, name));
        LoadClient client = LoadClient.connect(name, server.port(), connections);
        clients.add(client);
        for (int i = 0; i < WARM_UPS; i++) {
          client.run(effort.warmMillis());
        }
      }
      for (int round = 1; round <= effort.rounds(); round++) {
        for (int i = 0; i < servers.size(); i++) {
          ServerProcess server = servers.get(i);
          Progress.say(
              "%d connections: round %d of %d, %s"
                  .formatted(connections, round, effort.rounds(), server.peer().name()));
          measured.get(server.peer().name()).add(undisturbed(server, clients.get(i)));
        }
      }
    } finally {
      clients.forEach(LoadClient::close);
    }
    Progress.clear();
    return new Turns(connections, measured);
  }

  private Measurement undisturbed(ServerProcess server, LoadClient client) {
    Measurement measurement = measure(server, client);
    for (int i = 0; i < AGAIN && measurement.disturbance() > effort.disturbance(); i++) {
      Progress.say(
          "again, as something else had %.0f %% of a core"
              .formatted(measurement.disturbance() * 100));
      Measurement next = measure(server, client);
      if (next.disturbance() < measurement.disturbance()) {
        measurement = next;
      }
    }
    return measurement;
  }

  private Measurement measure(ServerProcess server, LoadClient client) {
    Disturbance disturbance = Disturbance.watch(machine, server);
    long cpu = server.cpuNanos();
    Load load = client.run(effort.millis());
    return Measurement.of(load, server.cpuNanos() - cpu, disturbance.share());
  }

  @Override
  public void close() {
    servers.forEach(ServerProcess::close);
  }
}
