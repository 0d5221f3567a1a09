package dev.epoll.benchmarks.startup;

/** A JVM that starts and ends. */
public final class Nothing {
  private Nothing() {}

  /** Ends, as the others here do. */
  public static void main(String[] arguments) {
    Runtime.getRuntime().halt(0);
  }
}
