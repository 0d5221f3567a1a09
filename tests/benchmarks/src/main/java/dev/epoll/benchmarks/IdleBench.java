package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether busy connections become slower when there are many idle ones beside them. */
final class IdleBench implements Bench {
  private static final int BUSY = 64;
  private static final String ALONE = "alone";

  @Override
  public Findings run(Lab lab) {
    int idle = lab.effort().idle();
    String beside = "beside %d idle".formatted(idle);
    Map<String, List<Measurement>> rounds = new LinkedHashMap<>();
    rounds.put(ALONE, new ArrayList<>());
    rounds.put(beside, new ArrayList<>());
    // One process for both, as two of them differ in what their compilers happened to do.
    Peer ours = lab.peers().stream();
    try (ServerProcess server = ServerProcess.start(lab.machine(), ours);
        LoadClient busy = LoadClient.connect(ours.name(), server.port(), BUSY)) {
      Turn turn = new Turn(lab, server, busy);
      turn.warm();
      int descriptors = server.descriptors();
      for (int round = 1; round <= lab.effort().launches(); round++) {
        Progress.say("idle connections: round %d of %d".formatted(round, lab.effort().launches()));
        rounds.get(ALONE).add(turn.measure());
        try (LoadClient others = LoadClient.connect(ours.name(), server.port(), idle)) {
          others.run(0);
          rounds.get(beside).add(turn.measure());
        }
        server.awaitDescriptors(descriptors);
      }
    }
    Progress.clear();
    Turns turns = new Turns(BUSY, rounds);
    turns.print(ALONE);
    return new Findings(
        List.of(
            Target.atLeast(
                0.97,
                "echo, 64 connections, with %,d idle ones beside them, to none".formatted(idle),
                turns.ratio(beside, ALONE))),
        turns.figures());
  }
}
