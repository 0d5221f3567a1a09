package dev.epoll;

/**
 * Runs the rounds of a poller that has no thread of its own, on the threads where those run whom it
 * resumes. So that an event need not wake another thread: what it resumes is next in the queue of
 * the thread that found it.
 *
 * <pre>
 *            run() is true: give the others their turn
 *           +----------------------------+
 *           v                            |
 *   start: RUN A ROUND ------------------+--- run() is false ---&gt; ASLEEP (arm) --- waiter told ---&gt; run a round
 *           `--- it is over: end
 * </pre>
 */
@FunctionalInterface
public interface PollerDriver {
  /**
   * Begins to run {@code rounds}, one after the other, until they are {@link
   * PollerRounds#isOver()}. Must not wait for that. A driver that cannot go on calls {@link
   * PollerRounds#fail}; what this throws is thrown to whoever opens the poller, which has failed
   * then. Thread: the one that opens the poller.
   */
  void start(PollerRounds rounds);

  /**
   * A virtual thread for the rounds, beside the virtual threads that wait.
   *
   * @throws UnsupportedOperationException before JDK 21
   */
  static PollerDriver virtualThread() {
    return VirtualThreadDriver.find(Runtime.version());
  }
}
