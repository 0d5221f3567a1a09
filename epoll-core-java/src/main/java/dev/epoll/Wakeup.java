package dev.epoll;

import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Ends epoll_wait early, from any thread, with at most one eventfd write per sleep.
 *
 * <pre>
 *            beforeSleep()                wake(): writes
 *   AWAKE ------------------&gt; ASLEEP ----------------------&gt; WOKEN
 *     ^                         |                              |
 *     +------- afterSleep() ----+------------------------------+
 * </pre>
 *
 * <p>Ordering: the loop publishes ASLEEP, then looks for work once more; others publish work, then
 * look for ASLEEP. Both are volatile, so one of the two sees the other.
 *
 * <p>Kernel: the eventfd is edge-triggered and never read: each write is an event of its own
 * (eventfd(2), epoll(7)). A write that comes after the wait has ended makes one later wait return
 * early, no more.
 */
final class Wakeup {
  private static final int AWAKE = 0;
  private static final int ASLEEP = 1;
  private static final int WOKEN = 2;

  private final Syscalls syscalls;
  private final Counters counters;
  private final int eventfd;
  private final AtomicInteger state = new AtomicInteger(AWAKE);

  /**
   * Held over the write and the close, so that no write can hit the next owner of the fd's number.
   */
  private final ReentrantLock lock = new ReentrantLock();

  private boolean closed;

  private Wakeup(Syscalls syscalls, Counters counters, int eventfd) {
    this.syscalls = syscalls;
    this.counters = counters;
    this.eventfd = eventfd;
  }

  /** A wakeup for waits on {@code epoll}. A failure leaves nothing behind. */
  static Wakeup open(Syscalls syscalls, Counters counters, EpollFd epoll) throws SyscallException {
    int eventfd = syscalls.eventfd(0, Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK);
    if (eventfd < 0) {
      throw new SyscallException("eventfd", -eventfd, -1);
    }
    int result =
        epoll.control(Linux.EPOLL_CTL_ADD, eventfd, Linux.EPOLLIN | Linux.EPOLLET, Token.WAKEUP);
    if (result < 0) {
      syscalls.close(eventfd);
      throw EpollFd.failure(Linux.EPOLL_CTL_ADD, eventfd, -result);
    }
    return new Wakeup(syscalls, counters, eventfd);
  }

  int fd() {
    return eventfd;
  }

  /** Thread: the one that waits; it looks for work once more before it does. */
  void beforeSleep() {
    state.set(ASLEEP);
  }

  /** Thread: the one that waits. */
  void afterSleep() {
    state.set(AWAKE);
  }

  /** Whether the loop sleeps, or is about to be woken. */
  boolean isAsleep() {
    return state.get() != AWAKE;
  }

  /**
   * Ends the wait that is under way or about to begin; does nothing if the loop is awake, for it
   * will look for work.
   */
  void wake() {
    if (state.get() == ASLEEP && state.compareAndSet(ASLEEP, WOKEN)) {
      lock.lock();
      try {
        if (!closed) {
          counters.wakeups.increment();
          write();
        }
      } finally {
        lock.unlock();
      }
    }
  }

  private void write() {
    NativeMemory one = ScratchMemory.take(syscalls);
    try {
      one.buffer().putLong(0, 1);
      long result = syscalls.write(eventfd, one.address(), Long.BYTES);
      if (Errno.EAGAIN.is(result)) {
        // The counter is full: reading empties it, and the write that follows is an edge again.
        syscalls.read(eventfd, one.address(), Long.BYTES);
        one.buffer().putLong(0, 1);
        syscalls.write(eventfd, one.address(), Long.BYTES);
      }
    } finally {
      ScratchMemory.giveBack(one);
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      syscalls.close(eventfd);
    } finally {
      lock.unlock();
    }
  }
}
