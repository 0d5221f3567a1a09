package dev.epoll;

/** Where a poller's rounds run: on a thread of its own, or on others' in turn. */
interface PollerThread {
  /** Begins to run rounds. Where that fails, end the poller and {@link #awaitEnd()}. */
  void start();

  /** Whether the calling thread is in a round. */
  boolean isCurrent();

  /** Returns once the last round of a poller that has ended is over. */
  void awaitEnd();
}
