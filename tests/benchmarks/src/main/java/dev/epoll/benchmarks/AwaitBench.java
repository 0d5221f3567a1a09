package dev.epoll.benchmarks;

import java.util.List;

/** What an await by hand costs: one re-arm for each message, in C and here. */
final class AwaitBench implements Bench {
  private static final int CONNECTIONS = 64;

  @Override
  public Findings run(Lab lab) {
    Peer c = lab.peers().cOneshot();
    Peer ours = lab.peers().await();
    try (Sitting sitting = new Sitting(lab, List.of(ours, c, lab.peers().withThreads(c)), c)) {
      Turns turns = sitting.measure(CONNECTIONS, lab.effort().turns(CONNECTIONS));
      turns.print();
      return new Findings(
          List.of(
              turns.throughput(
                  0.96,
                  "echo, 64 connections, one await per message on the poller thread, to C with"
                      + " ONESHOT",
                  ours,
                  c)),
          turns.figures());
    }
  }
}
