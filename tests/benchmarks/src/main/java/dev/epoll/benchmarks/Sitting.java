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
  private final Effort effort;
  private final List<ServerProcess> servers = new ArrayList<>();

  /** Starts all of {@code peers}. Those that are not having their turn cost nothing. */
  Sitting(Machine machine, Effort effort, List<Peer> peers) {
    this.effort = effort;
    try {
      for (Peer peer : peers) {
        Progress.say("starting " + peer.name());
        servers.add(ServerProcess.start(machine, peer));
      }
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /** Measures each with {@code connections}; the measurements of a server are in their order. */
  Map<String, List<Measurement>> measure(int connections) {
    List<LoadClient> clients = new ArrayList<>();
    Map<String, List<Measurement>> measured = new LinkedHashMap<>();
    try {
      for (ServerProcess server : servers) {
        String name = server.peer().name();
        measured.put(name, new ArrayList<>());
        Progress.say("%d connections: warming %s".formatted(connections, name));
        LoadClient client = LoadClient.connect(name, server.port(), connections);
        clients.add(client);
        for (int i = 0; i < effort.warmups(); i++) {
          client.run(effort.millis());
        }
      }
      for (int round = 1; round <= effort.rounds(); round++) {
        for (int i = 0; i < servers.size(); i++) {
          ServerProcess server = servers.get(i);
          Progress.say(
              "%d connections: round %d of %d, %s"
                  .formatted(connections, round, effort.rounds(), server.peer().name()));
          long cpu = server.cpuNanos();
          Load load = clients.get(i).run(effort.millis());
          measured.get(server.peer().name()).add(Measurement.of(load, server.cpuNanos() - cpu));
        }
      }
    } finally {
      clients.forEach(LoadClient::close);
    }
    Progress.clear();
    return measured;
  }

  @Override
  public void close() {
    servers.forEach(ServerProcess::close);
  }
}
