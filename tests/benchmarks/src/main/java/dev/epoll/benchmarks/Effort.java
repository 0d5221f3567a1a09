package dev.epoll.benchmarks;

/**
 * How long to measure.
 *
 * @param rounds in how many rounds each server has its turn
 * @param millis how long a turn takes
 * @param warmups how often each server is warmed before the first round
 */
record Effort(int rounds, long millis, int warmups) {
  static final Effort CAREFUL = new Effort(11, 1000, 3);
  static final Effort QUICK = new Effort(5, 300, 3);
  static final Effort SMOKE = new Effort(1, 50, 1);
}
