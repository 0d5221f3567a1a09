package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/** What single calls take and allocate, by JMH. */
final class CallsBench implements Bench {
  @Override
  public Findings run(Lab lab) {
    Map<String, Jmh.Result> calls =
        Jmh.run(lab, "BackendCalls|CoreCalls|CoroutineCalls", lab.effort().jmh());
    List<Map<String, Jmh.Result>> wakeUps = new ArrayList<>();
    for (int round = 0; round < lab.effort().jmhRounds(); round++) {
      // A run of its own for each round, as JMH by itself does not take benchmarks in turn.
      wakeUps.add(Jmh.run(lab, "WakeUps", lab.effort().jmh()));
    }
    Progress.clear();
    List<Figure> figures = new ArrayList<>();
    calls.forEach((name, result) -> figures.add(new Figure(name, result)));
    wakeUps.forEach(
        round -> round.forEach((name, result) -> figures.add(new Figure(name, result))));
    System.out.printf("%n%-34s %-26s %s%n", "call", "ns", "bytes allocated");
    for (Figure figure : figures) {
      System.out.printf(
          "%-34s %-26s %s%n", figure.call(), figure.result().nanos(), figure.result().bytes());
    }
    return new Findings(
        List.of(
            bytes(0, "core `arm` and resume", calls.get("armAndResume")),
            bytes(104, "Kotlin `awaitReadable`", calls.get("awaitReadable")),
            bytes(104, "a stream `read` that suspends", calls.get("readThatSuspends")),
            Target.atMost(
                1.2,
                "",
                "wake-up of a coroutine by an eventfd write, round trip, to `SynchronousQueue`",
                Spread.of(wakeUps.stream().mapToDouble(CallsBench::eventFdToQueue)))),
        figures);
  }

  private static double eventFdToQueue(Map<String, Jmh.Result> round) {
    return round.get("eventFdRoundTrip").nanos().median()
        / round.get("synchronousQueueRoundTrip").nanos().median();
  }

  /** In whole bytes: objects have no fewer than 8, and the rest is what JMH itself allocates. */
  private static Target bytes(double limit, String call, Jmh.Result result) {
    Spread exact = result.bytes();
    Spread whole =
        Spread.of(
            DoubleStream.of(exact.median(), exact.min(), exact.max()).map(it -> Math.rint(it)));
    return Target.atMost(limit, "B", "allocated per await: " + call, whole);
  }

  /** A call's figures. */
  record Figure(String call, Jmh.Result result) {}
}
