package dev.epoll.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Virtual threads, for tests that are compiled for a JDK that has none. */
public final class VThreads {
  private VThreads() {}

  /** Passes over the test where there are none. */
  public static void assume() {
    assumeTrue(Runtime.version().feature() >= 21, "no virtual threads on this JDK");
  }

  public static Thread start(Runnable task) {
    try {
      return (Thread)
          Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }
}
