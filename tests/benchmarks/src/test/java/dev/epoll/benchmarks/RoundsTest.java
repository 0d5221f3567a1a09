package dev.epoll.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RoundsTest {
  private final Rounds<Double> rounds = new Rounds<>(Effort.CAREFUL, 3, List.of("a", "b"));

  @Test
  void whatIsComparedIsOfTheSameRound() {
    add(1, 2, 0);
    add(30, 40, 0);
    add(5, 5, 0);
    assertEquals(new Spread(0.75, 0.5, 1), rounds.ratio("a", "b", it -> it));
  }

  @Test
  void aDisturbedRoundCountsForNobody() {
    add(1, 2, 0);
    add(9, 1, 0.9);
    add(1, 2, 0.1);
    assertEquals(Spread.of(0.5), rounds.ratio("a", "b", it -> it));
    assertEquals(1, rounds.dropped());
  }

  @Test
  void tooManyDisturbedRoundsAreAFailure() {
    add(1, 2, 0.9);
    assertThrows(BenchmarkFailure.class, () -> add(1, 2, 0.9));
  }

  private void add(double a, double b, double disturbance) {
    rounds.add(Map.of("a", new Calm<>(a, 0), "b", new Calm<>(b, disturbance)));
  }
}
