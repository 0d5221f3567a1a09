package dev.epoll.benchmarks;

import java.util.List;

/** Targets as lines. */
final class TargetTable {
  private TargetTable() {}

  static void print(List<Target> targets) {
    System.out.println();
    for (Target target : targets) {
      System.out.printf(
          "%-20s %-10s %-24s %s%n",
          target.verdict(), target.promise(), target.figure(), target.what());
    }
  }
}
