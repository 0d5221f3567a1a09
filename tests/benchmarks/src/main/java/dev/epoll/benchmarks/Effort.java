package dev.epoll.benchmarks;

import java.util.List;
import java.util.Locale;

/** How long to measure: as the figures in docs/ were, or in minutes, or to see that all works. */
enum Effort {
  CAREFUL,
  QUICK,
  SMOKE;

  private <T> T of(T careful, T quick, T smoke) {
    return switch (this) {
      case CAREFUL -> careful;
      case QUICK -> quick;
      case SMOKE -> smoke;
    };
  }

  /**
   * In how many rounds each server has its turn. Many short turns tell more than few long ones: a
   * machine's speed changes from one second to the next, and hardly within a tenth.
   */
  int rounds() {
    return of(75, 12, 1);
  }

  /** How long a turn takes. */
  int millis() {
    return of(100, 100, 20);
  }

  /** How long each of the three turns takes that are not counted. */
  int warmMillis() {
    return of(1000, 400, 10);
  }

  /** Which share of a core something else may have before a turn is repeated. */
  double disturbance() {
    return of(0.3, 0.4, 1.0);
  }

  /** Whether there is time for numbers of connections that only a plot shows. */
  boolean plotsMore() {
    return of(true, false, false);
  }

  /** How many idle connections share what is measured of them all. */
  int parked() {
    return of(5000, 2000, 200);
  }

  /** How many idle connections there are beside the busy ones. */
  int idle() {
    return of(15_000, 15_000, 300);
  }

  /** In how many rounds each program runs that gives but one figure. */
  int launches() {
    return of(15, 3, 1);
  }

  /** The same for the benchmarks of JMH that are compared to each other. */
  int jmhRounds() {
    return of(5, 1, 1);
  }

  /** Options of JMH. */
  List<String> jmh() {
    String options =
        of(
            "-f 1 -wi 3 -w 1s -i 5 -r 1s",
            "-f 1 -wi 2 -w 500ms -i 3 -r 300ms",
            "-f 1 -wi 0 -i 1 -r 10ms");
    return List.of(options.split(" "));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
