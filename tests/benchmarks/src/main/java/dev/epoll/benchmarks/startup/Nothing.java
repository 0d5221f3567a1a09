package dev.epoll.benchmarks.startup;

/** A JVM that starts. */
public final class Nothing {
  private Nothing() {}

  /** Says so, as the others here do. */
  public static void main(String[] arguments) {
    System.out.println("done");
  }
}
