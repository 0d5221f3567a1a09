package dev.epoll.benchmarks;

import java.util.List;
import java.util.Optional;

/** What an await by hand costs: one re-arm for each message, in C and here. */
final class AwaitBench implements Bench {
  @Override
  public Findings run(Lab lab) {
    Optional<Peer> c = lab.peers().cOneshot();
    if (c.isEmpty()) {
      return Findings.NONE;
    }
    Peer ours = lab.peers().await();
    try (Sitting sitting = new Sitting(lab, List.of(c.get(), ours))) {
      Turns turns = sitting.measure(64);
      turns.print(c.get().name());
      return new Findings(
          List.of(
              Target.atLeast(
                  0.96,
                  "echo, 64 connections, one await per message on the poller thread, to C with"
                      + " ONESHOT",
                  turns.ratio(ours, c.get()))),
          turns.figures());
    }
  }
}
