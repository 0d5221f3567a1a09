package dev.epoll.fd;

import dev.epoll.sys.Backend;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * A descriptor's number that is closed once, and not before the last call on it has returned:
 * closed any earlier, its number could be given to another file, which the call would then read or
 * write.
 *
 * <pre>
 *   state: CLOSED bit | number of calls under way
 *
 *   open, n calls -- close() --&gt; CLOSED, n calls -- release(), n times --&gt; close(2)
 * </pre>
 *
 * <p>Thread: every method from any.
 */
public final class OwnedFd {
  private static final int CLOSED = 1 << 31;
  private static final AtomicIntegerFieldUpdater<OwnedFd> STATE =
      AtomicIntegerFieldUpdater.newUpdater(OwnedFd.class, "state");

  private final int fd;
  private final boolean closesFd;

  /** In place, because there is one for each connection. */
  private volatile int state;

  private OwnedFd(int fd, boolean closesFd) {
    this.fd = fd;
    this.closesFd = closesFd;
  }

  /** Takes over {@code fd}: {@link #close()} closes it. */
  public static OwnedFd owned(int fd) {
    return new OwnedFd(fd, true);
  }

  /** Uses {@code fd} until {@link #close()}, which leaves it open. */
  public static OwnedFd borrowed(int fd) {
    return new OwnedFd(fd, false);
  }

  /** The number, for information; for a call use {@link #acquire()}. */
  public int number() {
    return fd;
  }

  /** Whether {@link #close()} has not been called. */
  public boolean isOpen() {
    return state >= 0;
  }

  /**
   * Begins a call on the descriptor, which stays open until {@link #release()}. The call must not
   * block for long.
   *
   * @return the number
   * @throws ClosedChannelException if it is closed
   */
  public int acquire() throws ClosedChannelException {
    int current;
    do {
      current = state;
      if (current < 0) {
        throw new ClosedChannelException();
      }
    } while (!STATE.compareAndSet(this, current, current + 1));
    return fd;
  }

  /** Ends a call. */
  public void release() {
    if (STATE.decrementAndGet(this) == CLOSED) {
      closeNow();
    }
  }

  /**
   * Refuses further calls, and closes the descriptor as soon as none is under way.
   *
   * @return whether this call closed it; false if it was closed before
   */
  public boolean close() {
    int current;
    do {
      current = state;
      if (current < 0) {
        return false;
      }
    } while (!STATE.compareAndSet(this, current, current | CLOSED));
    if (current == 0) {
      closeNow();
    }
    return true;
  }

  private void closeNow() {
    if (closesFd) {
      // Kernel: the number is free whatever close(2) returns, so there is nothing to retry.
      int ignored = Backend.syscalls().close(fd);
    }
  }

  @Override
  public String toString() {
    return "fd " + fd + (isOpen() ? "" : " (closed)");
  }
}
