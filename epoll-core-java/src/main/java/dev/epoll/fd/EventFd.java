package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;

/**
 * A 64-bit counter in the kernel that can be awaited: readable while it is above zero, writable
 * while it is below its maximum. Non-blocking and close-on-exec; see <a
 * href="https://man7.org/linux/man-pages/man2/eventfd.2.html">eventfd(2)</a>.
 */
public final class EventFd extends AwaitableFd {
  /** The largest value that the counter holds, 2^64 - 2, as an unsigned long. */
  public static final long MAX_VALUE = -2;

  /** What {@link #tryTake()} returns when the counter is zero. */
  public static final long EMPTY = 0;

  private static final Syscalls SYSCALLS = Backend.syscalls();

  private final boolean semaphore;

  private EventFd(Poller poller, int fd, boolean semaphore) throws IOException {
    super(poller, OwnedFd.owned(fd));
    this.semaphore = semaphore;
  }

  /**
   * A counter that starts at {@code initialValue}; taking empties it.
   *
   * @throws IllegalArgumentException if {@code initialValue} is negative
   * @throws SyscallException EMFILE or ENFILE
   */
  public static EventFd counter(Poller poller, int initialValue) throws IOException {
    return open(poller, initialValue, false);
  }

  /**
   * A semaphore that starts with {@code permits}; taking takes one.
   *
   * @throws IllegalArgumentException if {@code permits} is negative
   * @throws SyscallException EMFILE or ENFILE
   */
  public static EventFd semaphore(Poller poller, int permits) throws IOException {
    return open(poller, permits, true);
  }

  private static EventFd open(Poller poller, int initialValue, boolean semaphore)
      throws IOException {
    if (initialValue < 0) {
      throw new IllegalArgumentException(
          "the initial value is " + initialValue + ": give 0 or more");
    }
    int flags = Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK | (semaphore ? Linux.EFD_SEMAPHORE : 0);
    int fd = SYSCALLS.eventfd(initialValue, flags);
    if (fd < 0) {
      throw new SyscallException("eventfd", -fd, -1);
    }
    return new EventFd(poller, fd, semaphore);
  }

  /** Whether taking takes one, not all. */
  public boolean isSemaphore() {
    return semaphore;
  }

  /**
   * Takes the value of the counter, or one of a semaphore, and never waits.
   *
   * @return what was taken, as an unsigned long; {@link #EMPTY}, 0, if the counter is zero
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public long tryTake() throws IOException {
    NativeMemory value = ScratchMemory.take(SYSCALLS);
    try {
      long address = value.address();
      long result = call("read", fd -> SYSCALLS.read(fd, address, Long.BYTES));
      return result == WOULD_BLOCK ? EMPTY : value.buffer().getLong(0);
    } finally {
      ScratchMemory.giveBack(value);
    }
  }

  /**
   * Adds {@code value} to the counter, and never waits.
   *
   * @param value as an unsigned long, at most {@link #MAX_VALUE}; 0 wakes nobody
   * @return false if the counter would pass {@link #MAX_VALUE}; nothing was added then
   * @throws IllegalArgumentException if {@code value} is 2^64 - 1
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public boolean tryAdd(long value) throws IOException {
    if (value == -1) {
      throw new IllegalArgumentException(
          "2^64 - 1 cannot be added: give at most EventFd.MAX_VALUE");
    }
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putLong(0, value);
      return call("write", fd -> SYSCALLS.write(fd, address, Long.BYTES)) != WOULD_BLOCK;
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** This counter for threads. What ends a wait: {@link TimerFd.Blocking#take()}. */
  public interface Blocking {
    /**
     * Takes the value of the counter, or one of a semaphore, and waits as long as it is zero.
     *
     * @return what was taken, as an unsigned long
     */
    long take() throws IOException;

    /**
     * Adds {@code value} to the counter, and waits as long as it has no room.
     *
     * @throws IllegalArgumentException as {@link EventFd#tryAdd}
     */
    void add(long value) throws IOException;
  }

  /**
   * This counter for threads: taking and adding wait. A virtual thread that waits leaves its
   * carrier to others.
   */
  public Blocking blocking() {
    return new Blocking() {
      @Override
      public long take() throws IOException {
        while (true) {
          long taken = tryTake();
          if (taken != EMPTY) {
            return taken;
          }
          block(registration(), Interest.READABLE, null);
        }
      }

      @Override
      public void add(long value) throws IOException {
        while (!tryAdd(value)) {
          block(registration(), Interest.WRITABLE, null);
        }
      }
    };
  }
}
