package dev.epoll;

import java.io.IOException;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done at a time, in the order of the times, and of the asking where those are equal.
 * A cancelled one leaves at once.
 *
 * <p>Thread: every method from any.
 */
final class Timers {
  /** What a timer does when its time comes, or when the poller ends before. */
  interface Action {
    void due();

    void ended(IOException cause);
  }

  private static final class Timer implements Comparable<Timer> {
    final long deadline;
    final long order;
    final Action action;

    Timer(long deadline, long order, Action action) {
      this.deadline = deadline;
      this.order = order;
      this.action = action;
    }

    @Override
    public int compareTo(Timer other) {
      // By difference, because nanoTime may overflow.
      return deadline != other.deadline
          ? Long.signum(deadline - other.deadline)
          : Long.compare(order, other.order);
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final TreeSet<Timer> waiting = new TreeSet<>();
  private long nextOrder;

  /** How many are waiting. Ordering: volatile, for those who only look. */
  private volatile int size;

  private @Nullable FailureCause ended;

  /** An added timer. */
  record Added(Cancellable cancellable, boolean isFirst) {}

  /**
   * Adds a timer; {@code isFirst} says that it is due before all others, so a sleeping loop must be
   * told.
   */
  Added add(long deadline, Action action) throws IOException {
    lock.lock();
    try {
      if (ended != null) {
        throw ended.exception();
      }
      Timer timer = new Timer(deadline, nextOrder++, action);
      waiting.add(timer);
      size = waiting.size();
      return new Added(() -> cancel(timer), waiting.first() == timer);
    } finally {
      lock.unlock();
    }
  }

  private boolean cancel(Timer timer) {
    lock.lock();
    try {
      boolean wasWaiting = waiting.remove(timer);
      size = waiting.size();
      return wasWaiting;
    } finally {
      lock.unlock();
    }
  }

  /**
   * How long to the first timer from {@code now}, at least 0; {@link EpollFd#FOREVER} if there is
   * none.
   */
  long nanosToFirst(long now) {
    lock.lock();
    try {
      return waiting.isEmpty() ? EpollFd.FOREVER : Math.max(waiting.first().deadline - now, 0);
    } finally {
      lock.unlock();
    }
  }

  /** Takes out the first timer if its time has come. */
  @Nullable Action takeDue(long now) {
    lock.lock();
    try {
      if (waiting.isEmpty() || waiting.first().deadline - now > 0) {
        return null;
      }
      Timer first = waiting.pollFirst();
      size = waiting.size();
      return first.action;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses further timers from now on, and takes out the first of those that are left. */
  @Nullable Action takeEnded(FailureCause reason) {
    lock.lock();
    try {
      ended = reason;
      Timer timer = waiting.pollFirst();
      size = waiting.size();
      return timer == null ? null : timer.action;
    } finally {
      lock.unlock();
    }
  }

  int size() {
    return size;
  }
}
