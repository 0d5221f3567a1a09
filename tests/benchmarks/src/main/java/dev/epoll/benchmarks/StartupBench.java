package dev.epoll.benchmarks;

import dev.epoll.benchmarks.startup.FirstAwait;
import dev.epoll.benchmarks.startup.FirstSuspension;
import dev.epoll.benchmarks.startup.Nothing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How long it takes from the start of a JVM to the first await that is over. */
final class StartupBench implements Bench {
  private static final String CORE = "core, ffm";

  @Override
  public String backends(String chosen) {
    return "ffm and jnr";
  }

  @Override
  public Findings run(Lab lab) {
    Peers ffm = new Peers("ffm");
    Peers jnr = new Peers("jnr");
    List<String> nothing = ffm.java(Nothing.class.getName());
    Map<String, List<String>> programs = new LinkedHashMap<>();
    programs.put(CORE, ffm.java(FirstAwait.class.getName()));
    programs.put("core, jnr", jnr.java(FirstAwait.class.getName()));
    programs.put("coroutine, ffm", ffm.java(FirstSuspension.class.getName()));
    programs.put("coroutine, jnr", jnr.java(FirstSuspension.class.getName()));

    List<Double> empty = new ArrayList<>();
    Map<String, List<Double>> all = new LinkedHashMap<>();
    programs.keySet().forEach(name -> all.put(name, new ArrayList<>()));
    // The first round, in which files come into the page cache, is not counted.
    for (int round = 0; round <= lab.effort().singleFigureRounds(); round++) {
      Progress.say("start-up: round %d of %d".formatted(round, lab.effort().singleFigureRounds()));
      double base = millis(lab, nothing);
      for (Map.Entry<String, List<String>> program : programs.entrySet()) {
        double beyond = millis(lab, program.getValue()) - base;
        if (round > 0) {
          all.get(program.getKey()).add(beyond);
        }
      }
      if (round > 0) {
        empty.add(base);
      }
    }
    Progress.clear();
    Map<String, Spread> millisBeyondEmpty = new LinkedHashMap<>();
    all.forEach((name, millis) -> millisBeyondEmpty.put(name, Spread.of(millis)));
    print(Spread.of(empty), millisBeyondEmpty);
    return new Findings(
        List.of(
            Target.atMost(
                60,
                "ms",
                "from the start of the JVM to the first await of the Java core, beyond an empty"
                    + " main",
                millisBeyondEmpty.get(CORE))),
        new Figures(Spread.of(empty), millisBeyondEmpty));
  }

  private static double millis(Lab lab, List<String> program) {
    List<String> command = new ArrayList<>(lab.machine().pinToBothCores());
    command.addAll(program);
    long start = System.nanoTime();
    var unused = Command.run(command);
    return (System.nanoTime() - start) / 1e6;
  }

  private static void print(Spread empty, Map<String, Spread> millisBeyondEmpty) {
    System.out.printf("%n%-34s %s%n%-34s %s%n", "start", "ms", "an empty main", empty.format(0));
    millisBeyondEmpty.forEach(
        (program, millis) -> System.out.printf("%-34s + %s%n", program, millis.format(0)));
  }

  /** How long an empty main takes, and how much longer others do. */
  record Figures(Spread emptyMillis, Map<String, Spread> millisBeyondEmpty) {}
}
