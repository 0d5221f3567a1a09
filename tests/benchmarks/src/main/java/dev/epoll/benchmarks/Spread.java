package dev.epoll.benchmarks;

import java.util.List;
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

  static Spread of(List<Double> values) {
    return of(values.stream().mapToDouble(Double::doubleValue));
  }

  /** Of one value. */
  static Spread of(double value) {
    return new Spread(value, value, value);
  }

  /** With so many decimals; what has no spread is a number. */
  String format(int decimals) {
    String number = "%." + decimals + "f";
    return min == max
        ? number.formatted(median)
        : (number + " [" + number + ".." + number + "]").formatted(median, min, max);
  }

  @Override
  public String toString() {
    return format(2);
  }
}
