package dev.epoll.benchmarks;

/**
 * What is promised, beside what was measured.
 *
 * @param unit empty for a ratio
 */
record Target(String what, Bound bound, double limit, String unit, Spread measured) {
  /** On which side of the limit the median is to be. */
  enum Bound {
    AT_LEAST(">="),
    AT_MOST("<=");

    private final String sign;

    Bound(String sign) {
      this.sign = sign;
    }
  }

  static Target atLeast(double limit, String what, Spread measured) {
    return new Target(what, Bound.AT_LEAST, limit, "", measured);
  }

  static Target atMost(double limit, String unit, String what, Spread measured) {
    return new Target(what, Bound.AT_MOST, limit, unit, measured);
  }

  boolean isMet() {
    return bound == Bound.AT_LEAST ? measured.median() >= limit : measured.median() <= limit;
  }

  /** What is promised. */
  String promise() {
    String number = limit % 1 == 0 ? "%.0f".formatted(limit) : Double.toString(limit);
    return "%s %s %s".formatted(bound.sign, number, unit).strip();
  }

  /** What was measured. */
  String figure() {
    String format = unit.isEmpty() ? "%.2f" : "%.0f";
    String text = (format + " [" + format + "..." + format + "]").replace("...", "..");
    return "%s %s"
        .formatted(text.formatted(measured.median(), measured.min(), measured.max()), unit)
        .strip();
  }
}
