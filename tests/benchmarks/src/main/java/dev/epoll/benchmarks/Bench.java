package dev.epoll.benchmarks;

/** A question that is answered by measuring. */
@FunctionalInterface
interface Bench {
  /** Measures, and prints tables on the way. */
  Findings run(Lab lab);
}
