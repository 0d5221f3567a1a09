package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Whether busy connections become slower when there are many idle ones beside them. */
final class IdleBench implements Bench {
  private static final int BUSY = 64;
  private static final String ALONE = "alone";

  /** Descriptors that a process needs beside those of idle connections. */
  private static final int SPARE = 500;

  @Override
  public Findings run(Lab lab) {
    int idle = lab.effort().idleConnections();
    Machine.requireDescriptors(idle + SPARE);
    Pace pace = lab.effort().turnsBesideIdle();
    String beside = "beside %d idle".formatted(idle);
    int planned = 2 * pace.rounds() * lab.effort().idleRounds();
    Rounds<Measurement> rounds = new Rounds<>(lab.effort(), planned, List.of(ALONE, beside));
    // One process for both, as two of them differ in what their compilers happened to do.
    try (ServerProcess server = ServerProcess.start(lab.machine(), lab.peers().stream());
        Turn busy = Turn.warm(lab, server, BUSY)) {
      int descriptors = server.descriptors();
      for (int round = 1; round <= lab.effort().idleRounds(); round++) {
        Progress.say("%d idle: round %d of %d".formatted(idle, round, lab.effort().idleRounds()));
        List<Calm<Measurement>> alone = new ArrayList<>(several(busy, pace));
        List<Calm<Measurement>> amongMany = new ArrayList<>();
        try (LoadClient others = LoadClient.connect(server.name(), server.port(), idle)) {
          others.greet();
          amongMany.addAll(several(busy, pace));
          amongMany.addAll(several(busy, pace));
        }
        server.awaitDescriptors(descriptors);
        alone.addAll(several(busy, pace));
        for (int i = 0; i < alone.size(); i++) {
          rounds.add(Map.of(ALONE, alone.get(i), beside, amongMany.get(i)));
        }
      }
    }
    Progress.clear();
    Turns turns = new Turns(BUSY, ALONE, rounds);
    turns.print();
    return new Findings(
        List.of(
            turns.throughput(
                0.97,
                "echo, 64 connections, with %,d idle ones beside them, to none".formatted(idle),
                beside,
                ALONE)),
        turns.figures());
  }

  private static List<Calm<Measurement>> several(Turn turn, Pace pace) {
    List<Calm<Measurement>> measured = new ArrayList<>();
    for (int i = 0; i < pace.rounds(); i++) {
      measured.add(turn.measure(pace.millis()));
    }
    return measured;
  }
}
