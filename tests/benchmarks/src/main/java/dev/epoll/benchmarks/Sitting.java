package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Servers that are measured in turn: the machine drifts, and only what is measured within seconds
 * of each other can be compared.
 */
final class Sitting implements AutoCloseable {
  private final Lab lab;
  private final String reference;
  private final List<ServerProcess> servers = new ArrayList<>();

  /** Starts all of {@code peers}; what they do is compared to what {@code reference} does. */
  Sitting(Lab lab, List<Peer> peers, Peer reference) {
    this.lab = lab;
    this.reference = reference.name();
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
  Turns measure(int connections, Pace pace) {
    List<Turn> turns = new ArrayList<>();
    try {
      for (ServerProcess server : servers) {
        Progress.say("%d connections: warming %s".formatted(connections, server.name()));
        turns.add(Turn.warm(lab, server, connections));
      }
      Rounds<Measurement> rounds =
          new Rounds<>(lab.effort(), pace.rounds(), turns.stream().map(Turn::name).toList());
      for (int round = 0; round < pace.rounds(); round++) {
        Progress.say(
            "%d connections: round %d of %d".formatted(connections, round + 1, pace.rounds()));
        Map<String, Calm<Measurement>> measured = new HashMap<>();
        for (Turn turn : inOrderOf(round, turns)) {
          measured.put(turn.name(), turn.measure(pace.millis()));
        }
        rounds.add(measured);
      }
      return new Turns(connections, reference, rounds);
    } finally {
      turns.forEach(Turn::close);
      Progress.clear();
    }
  }

  /** A B C, C B A, C A B, B A C, ...: who comes when, and after whom, favours nobody. */
  private static List<Turn> inOrderOf(int round, List<Turn> turns) {
    List<Turn> order = new ArrayList<>(turns);
    Collections.rotate(order, round / 2);
    if (round % 2 == 1) {
      Collections.reverse(order);
    }
    return order;
  }

  @Override
  public void close() {
    servers.forEach(ServerProcess::close);
  }
}
