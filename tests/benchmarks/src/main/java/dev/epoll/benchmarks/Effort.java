package dev.epoll.benchmarks;

/**
 * How long to measure.
 *
 * @param rounds in how many rounds each server has its turn
 * @param millis how long a turn takes
 * @param warmMillis how long each of the three turns takes that are not counted
 * @param disturbance which share of a core something else may have before a turn is repeated
 * @param parked how many idle connections share what is measured of them all
 */
record Effort(int rounds, long millis, long warmMillis, double disturbance, int parked) {
  static final Effort CAREFUL = new Effort(21, 500, 1000, 0.04, 5000);
  static final Effort QUICK = new Effort(4, 250, 400, 0.1, 2000);
  static final Effort SMOKE = new Effort(1, 20, 10, 1, 200);
}
