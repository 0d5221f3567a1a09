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
  private final Lab lab;
  private final List<ServerProcess> servers = new ArrayList<>();

  /** Starts all of {@code peers}. Those that are not having their turn cost nothing. */
  Sitting(Lab lab, List<Peer> peers) {
    this.lab = lab;
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
    List<Turn> turns = new ArrayList<>();
    Map<String, List<Measurement>> measured = new LinkedHashMap<>();
    try {
      for (ServerProcess server : servers) {
        String name = server.peer().name();
        measured.put(name, new ArrayList<>());
        Progress.say("%d connections: warming %s".formatted(connections, name));
        LoadClient client = LoadClient.connect(name, server.port(), connections);
        clients.add(client);
        Turn turn = new Turn(lab, server, client);
        turn.warm();
        turns.add(turn);
      }
      for (int round = 1; round <= lab.effort().rounds(); round++) {
        for (int i = 0; i < servers.size(); i++) {
          ServerProcess server = servers.get(i);
          Progress.say(
              "%d connections: round %d of %d, %s"
                  .formatted(connections, round, lab.effort().rounds(), server.peer().name()));
          measured.get(server.peer().name()).add(turns.get(i).measure());
        }
      }
    } finally {
      clients.forEach(LoadClient::close);
    }
    Progress.clear();
    return new Turns(connections, measured);
  }

  @Override
  public void close() {
    servers.forEach(ServerProcess::close);
  }
}
