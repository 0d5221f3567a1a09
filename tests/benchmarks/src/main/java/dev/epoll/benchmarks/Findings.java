package dev.epoll.benchmarks;

import java.util.List;

/**
 * What a bench found out.
 *
 * @param targets what is promised, beside what was measured
 * @param figures all else that was measured, as it is written to the JSON file
 */
record Findings(List<Target> targets, List<?> figures) {}
