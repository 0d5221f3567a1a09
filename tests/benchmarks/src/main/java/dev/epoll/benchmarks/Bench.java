package dev.epoll.benchmarks;

/** A question that is answered by measuring. */
interface Bench {
  /** Measures, and prints tables on the way. */
  Findings run(Lab lab);

  /** Of this library, those that are measured if {@code chosen} is what was asked for. */
  default String backends(String chosen) {
    return chosen;
  }
}
