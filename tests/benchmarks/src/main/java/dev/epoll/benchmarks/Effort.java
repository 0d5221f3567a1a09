package dev.epoll.benchmarks;

import java.nio.file.Path;
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

  /** Where results go: only figures that were measured carefully are kept beside the docs. */
  Path folder() {
    return Path.of(this == CAREFUL ? "docs/benchmarks" : "tests/benchmarks/target/results");
  }

  /** The turns of servers with {@code connections}: with many it takes longer to fill them all. */
  Pace turns(int connections) {
    int millis = connections < 1000 ? 100 : 250;
    return of(new Pace(75, millis), new Pace(12, millis), new Pace(1, 20));
  }

  /** Turns in which what happens once a second happens. */
  Pace longTurns() {
    return of(new Pace(6, 2000), new Pace(1, 1000), new Pace(1, 20));
  }

  /** Whether there is time for numbers of connections that only a plot shows. */
  boolean plotsOtherConnectionCounts() {
    return of(true, false, false);
  }

  /** The turns of servers with these. */
  Pace plottedTurns() {
    return new Pace(25, 100);
  }

  /** The turns between which idle connections come and go. */
  Pace turnsBesideIdle() {
    return of(new Pace(12, 100), new Pace(6, 100), new Pace(1, 20));
  }

  /** How often idle connections come and go. */
  int idleRounds() {
    return of(6, 2, 1);
  }

  /** How many turns are not counted, at first. */
  int warmUps() {
    return 3;
  }

  /** How long each of these takes. */
  int warmMillis() {
    return of(800, 300, 10);
  }

  /** Which share of a core something else may have before a turn is repeated. */
  double disturbance() {
    return of(0.3, 0.4, 1.0);
  }

  /** How many idle connections share what is measured of them all. */
  int parkedConnections() {
    // All connect at once: with more than a listener's queue takes, some would wait long to be
    // seen.
    return of(2000, 2000, 200);
  }

  /** In how many processes, one after the other, they are measured. */
  int parkedRounds() {
    return of(3, 1, 1);
  }

  /** How many idle connections there are beside the busy ones. */
  int idleConnections() {
    return of(15_000, 15_000, 300);
  }

  /** In how many rounds each program runs that gives but one figure. */
  int singleFigureRounds() {
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
