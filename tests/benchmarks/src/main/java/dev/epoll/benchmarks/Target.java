package dev.epoll.benchmarks;

/**
 * What is promised, beside what was measured.
 *
 * @param unit empty for a ratio
 * @param clientBound whether it says little, as what the client can do was measured as well
 */
record Target(
    String what, Bound bound, double limit, String unit, Spread measured, boolean clientBound) {
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
    return new Target(what, Bound.AT_LEAST, limit, "", measured, false);
  }

  static Target atMost(double limit, String unit, String what, Spread measured) {
    return new Target(what, Bound.AT_MOST, limit, unit, measured, false);
  }

  /** The same with this remark. */
  Target clientBound(boolean is) {
    return new Target(what, bound, limit, unit, measured, is);
  }

  /** Whether it is met, in words. */
  String verdict() {
    boolean met = bound == Bound.AT_LEAST ? measured.median() >= limit : measured.median() <= limit;
    return (met ? "met" : "missed") + (clientBound ? ", client-bound" : "");
  }

  /** What is promised. */
  String promise() {
    String number = limit % 1 == 0 ? "%.0f".formatted(limit) : Double.toString(limit);
    return "%s %s %s".formatted(bound.sign, number, unit).strip();
  }

  /** What was measured. */
  String figure() {
    return "%s %s".formatted(measured.format(unit.isEmpty() ? 2 : 0), unit).strip();
  }
}
