package dev.epoll.benchmarks;

import java.util.stream.DoubleStream;

/** The median of several values, the least and the greatest. */
record Spread(double median, double min, double max) {
  static Spread of(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(median, sorted[0], sorted[sorted.length - 1]);
  }

  @Override
  public String toString() {
    return "%.2f [%.2f..%.2f]".formatted(median, min, max);
  }
}
