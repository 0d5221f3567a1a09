package dev.epoll.simulation;

import java.util.Map;
import java.util.TreeMap;

/** How often what happened. */
public final class Seen {
  private final Map<String, Long> counts = new TreeMap<>();

  public void count(String what, long times) {
    counts.merge(what, times, Long::sum);
  }

  public long count(String what) {
    return counts.getOrDefault(what, 0L);
  }

  public void add(Seen other) {
    other.counts.forEach(this::count);
  }

  @Override
  public String toString() {
    return counts.toString();
  }
}
