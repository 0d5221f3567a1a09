package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * What was measured round by round: in each, everybody had a turn beside the others'. A round in
 * which something else had too much of a core is dropped.
 */
final class Rounds<T> {
  private final double disturbance;
  private final int planned;
  private final Map<String, List<T>> kept = new LinkedHashMap<>();
  private int dropped;

  /** {@code planned} rounds of {@code names}. */
  Rounds(Effort effort, int planned, List<String> names) {
    this.disturbance = effort.disturbance();
    this.planned = planned;
    names.forEach(name -> kept.put(name, new ArrayList<>()));
  }

  /** Adds the next round, and gives up once more than a third of those planned are dropped. */
  void add(Map<String, Calm<T>> round) {
    if (round.values().stream().allMatch(it -> it.disturbance() <= disturbance)) {
      round.forEach((name, it) -> kept.get(name).add(it.result()));
    } else if (++dropped > planned / 3) {
      throw new BenchmarkFailure(
          "something else needs the cores: of %d rounds %d were disturbed, again and again"
              .formatted(planned, dropped));
    }
  }

  Iterable<String> names() {
    return kept.keySet();
  }

  /** What counts of {@code name}. */
  List<T> of(String name) {
    return kept.get(name);
  }

  /** How many there are that don't count. */
  int dropped() {
    return dropped;
  }

  void printDropped() {
    if (dropped > 0) {
      System.out.printf("%d of %d rounds were disturbed, and are left out%n", dropped, planned);
    }
  }

  Spread spread(String name, ToDoubleFunction<T> figure) {
    return Spread.of(of(name).stream().mapToDouble(figure));
  }

  /** Round by round, how {@code figure} of one compares to that of another. */
  Spread ratio(String name, String reference, ToDoubleFunction<T> figure) {
    List<T> some = of(name);
    List<T> others = of(reference);
    return Spread.of(
        IntStream.range(0, some.size())
            .mapToDouble(
                i -> figure.applyAsDouble(some.get(i)) / figure.applyAsDouble(others.get(i))));
  }
}
