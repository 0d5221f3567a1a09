package dev.epoll.benchmarks;

import dev.epoll.benchmarks.startup.FirstAwait;
import dev.epoll.benchmarks.startup.FirstSuspension;
import dev.epoll.benchmarks.startup.Nothing;
import dev.epoll.benchmarks.startup.OneDowncall;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** How long it takes from the start of a JVM to the first await that is over. */
final class StartupBench implements Bench {
  private static final String CORE = "core, ffm";

  /** The first JDK that makes a cache of what was loaded and linked in one run. */
  private static final int AOT_SINCE = 25;

  private static final Path AOT_CACHE = Path.of("tests/benchmarks/target/startup.aot");

  @Override
  public String backends(String chosen) {
    return "ffm and jnr";
  }

  @Override
  public Findings run(Lab lab) {
    Peers ffm = new Peers("ffm");
    Peers jnr = new Peers("jnr");
    Map<String, List<String>> programs = new LinkedHashMap<>();
    programs.put("one downcall of the JDK's", ffm.java(OneDowncall.class.getName()));
    programs.put(CORE, ffm.java(FirstAwait.class.getName()));
    if (Runtime.version().feature() >= AOT_SINCE) {
      programs.put("core, ffm, AOT cache", withAotCache(programs.get(CORE)));
    }
    programs.put("core, jnr", jnr.java(FirstAwait.class.getName()));
    programs.put("coroutine, ffm", ffm.java(FirstSuspension.class.getName()));
    programs.put("coroutine, jnr", jnr.java(FirstSuspension.class.getName()));

    List<Double> empty = new ArrayList<>();
    Map<String, List<Double>> all = new LinkedHashMap<>();
    programs.keySet().forEach(name -> all.put(name, new ArrayList<>()));
    // The first round, in which files come into the page cache, is not counted.
    for (int round = 0; round <= lab.effort().singleFigureRounds(); round++) {
      Progress.say("start-up: round %d of %d".formatted(round, lab.effort().singleFigureRounds()));
      double base = millis(lab, ffm.java(Nothing.class.getName()));
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

  /** {@code program}, with a cache of what it loaded and linked when it ran for this. */
  private static List<String> withAotCache(List<String> program) {
    var unused = Command.run(withOption(program, "-XX:AOTCacheOutput=" + AOT_CACHE));
    return withOption(program, "-XX:AOTCache=" + AOT_CACHE);
  }

  private static List<String> withOption(List<String> program, String option) {
    List<String> command = new ArrayList<>(program);
    command.add(1, option);
    return command;
  }

  /** Until it says that it is done: how long it takes to end is another matter. */
  private static double millis(Lab lab, List<String> program) {
    List<String> command = new ArrayList<>(lab.machine().pinToBothCores());
    command.addAll(program);
    AtomicLong done = new AtomicLong();
    long start = System.nanoTime();
    var said = Command.run(command, line -> done.set(System.nanoTime()));
    if (!said.equals(List.of("done"))) {
      throw new BenchmarkFailure("%s said %s".formatted(String.join(" ", program), said));
    }
    return (done.get() - start) / 1e6;
  }

  private static void print(Spread empty, Map<String, Spread> millisBeyondEmpty) {
    System.out.printf("%n%-34s %s%n%-34s %s%n", "start", "ms", "an empty main", empty.format(0));
    millisBeyondEmpty.forEach(
        (program, millis) -> System.out.printf("%-34s + %s%n", program, millis.format(0)));
  }

  /** How long an empty main takes, and how much longer others do. */
  record Figures(Spread emptyMillis, Map<String, Spread> millisBeyondEmpty) {}
}
