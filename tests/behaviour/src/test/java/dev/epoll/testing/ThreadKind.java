package dev.epoll.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** The threads that a blocking call is made on; a test of virtual ones is passed over before 21. */
public enum ThreadKind {
  PLATFORM,
  VIRTUAL;

  /** Starts {@code task}. */
  public Thread start(Runnable task) {
    if (this == PLATFORM) {
      Thread thread = new Thread(task, "task");
      thread.setDaemon(true);
      thread.start();
      return thread;
    }
    assumeTrue(Runtime.version().feature() >= 21, "virtual threads");
    try {
      return (Thread)
          Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }
}
