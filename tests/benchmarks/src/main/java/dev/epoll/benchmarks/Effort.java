package dev.epoll.benchmarks;

import java.util.List;

/**
 * How long to measure.
 *
 * @param rounds in how many rounds each server has its turn
 * @param millis how long a turn takes
 * @param warmMillis how long each of the three turns takes that are not counted
 * @param disturbance which share of a core something else may have before a turn is repeated
 * @param parked how many idle connections share what is measured of them all
 * @param idle how many idle connections there are beside the busy ones
 * @param launches in how many rounds each program is started that gives but one figure
 * @param jmhRounds the same for JMH's benchmarks that are compared to each other
 * @param jmh options of JMH
 */
record Effort(
    int rounds,
    long millis,
    long warmMillis,
    double disturbance,
    int parked,
    int idle,
    int launches,
    int jmhRounds,
    List<String> jmh) {
  static final Effort CAREFUL =
      new Effort(21, 500, 1000, 0.06, 5000, 15_000, 15, 5, jmh("-f1 -wi 3 -w 1s -i 5 -r 1s"));
  static final Effort QUICK =
      new Effort(4, 250, 400, 0.1, 2000, 15_000, 3, 1, jmh("-f1 -wi 3 -w 500ms -i 3 -r 300ms"));
  static final Effort SMOKE =
      new Effort(1, 20, 10, 1, 200, 300, 1, 1, jmh("-f1 -wi 0 -i 1 -r 10ms"));

  private static List<String> jmh(String options) {
    return List.of(options.split(" "));
  }
}
