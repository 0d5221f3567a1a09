package dev.epoll.benchmarks;

/** One question that is answered by measuring. */
@FunctionalInterface
interface Bench {
  /** Measures, and prints the answer. */
  void run(Machine machine, Effort effort, Peers peers);
}
