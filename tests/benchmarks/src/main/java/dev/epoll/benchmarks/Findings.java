package dev.epoll.benchmarks;

import java.util.List;

/**
 * What a bench found out.
 *
 * @param targets what is promised, beside what was measured
 * @param figures all else that was measured, as it is written to the JSON file
 * @param plots pictures of it
 */
record Findings(List<Target> targets, Object figures, List<Plot> plots) {
  Findings(List<Target> targets, Object figures) {
    this(targets, figures, List.of());
  }
}
