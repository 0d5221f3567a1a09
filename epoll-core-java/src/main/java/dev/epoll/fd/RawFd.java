package dev.epoll.fd;

import dev.epoll.Poller;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.PollFd;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Any descriptor of bytes that somebody else made: a terminal, an inherited pipe, a C library's
 * socket. Reads and writes it without touching O_NONBLOCK, which belongs to the open file and is
 * shared with every process that has it.
 *
 * <p>A blocking descriptor is asked with poll(2) before each call; then one read does not block
 * (select(2)), and a write is kept to what a writable descriptor of its kind takes at least: see
 * {@link Kind}. Where another process reads the same terminal or pipe, it may take the bytes in
 * between, and the read waits for more.
 *
 * <p>Writing to a pipe that nobody reads raises SIGPIPE, which the JVM ignores, so that the write
 * fails with EPIPE.
 *
 * <p>Whoever lends a descriptor closes it after the calls on it have returned: {@link #close()}
 * does not wait for them.
 */
public sealed class RawFd extends AwaitableFd implements ByteStream permits Terminal {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  /**
   * How much can be written to a blocking descriptor that poll(2) calls writable, without waiting.
   */
  private enum Kind {
    /** Kernel: a writable pipe takes PIPE_BUF bytes (pipe(7)). */
    PIPE,
    /** Kernel: MSG_DONTWAIT makes one send non-blocking whatever the mode (send(2)). */
    SOCKET,
    /**
     * Kernel: a writable terminal may have room for one byte, and a longer write waits for more.
     */
    TERMINAL,
    /** Devices, which take what they are given as one record. */
    OTHER
  }

  private final Kind kind;

  // Between asking and calling nobody else of this process may take what was found. Held for the
  // length of calls that do not block.
  private final ReentrantLock readLock = new ReentrantLock();
  private final ReentrantLock writeLock = new ReentrantLock();

  RawFd(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
    this.kind = kindOf(fd.number());
  }

  /**
   * Uses {@code fd}, and leaves it open when closed.
   *
   * @throws IOException as {@link Poller#register}: EPERM for a regular file, which is read with
   *     FileChannel instead
   */
  public static RawFd borrow(Poller poller, int fd) throws IOException {
    return new RawFd(poller, OwnedFd.borrowed(fd));
  }

  /**
   * Takes {@code fd} over, and closes it when closed; if this fails, at once.
   *
   * @throws IOException as {@link Poller#register}: EPERM for a regular file, which is read with
   *     FileChannel instead
   */
  public static RawFd own(Poller poller, int fd) throws IOException {
    return new RawFd(poller, OwnedFd.owned(fd));
  }

  private static Kind kindOf(int fd) {
    if (SYSCALLS.fcntl(fd, Linux.F_GETPIPE_SZ, 0) >= 0) {
      return Kind.PIPE;
    }
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      memory.buffer().putInt(0, Integer.BYTES);
      long value = memory.address() + Integer.BYTES;
      if (SYSCALLS.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_TYPE, value, memory.address()) >= 0) {
        return Kind.SOCKET;
      }
    } finally {
      ScratchMemory.giveBack(memory);
    }
    return Terminal.isTerminal(fd) ? Kind.TERMINAL : Kind.OTHER;
  }

  @Override
  public int tryRead(ByteBuffer target) throws IOException {
    checkWritable(target);
    readLock.lock();
    try {
      return readInto(target, "read", ifReady(Linux.EPOLLIN, RawFd::readUnlessHungUp));
    } finally {
      readLock.unlock();
    }
  }

  /** Asks now, before memory is borrowed for the bytes, because asking borrows some too. */
  private Transfer ifReady(int event, Transfer transfer) throws IOException {
    boolean isReady = call("poll", fd -> PollFd.ask(SYSCALLS, fd, event)) > 0;
    return isReady ? transfer : (fd, address, count) -> WOULD_BLOCK;
  }

  // Kernel: while the other side of a terminal closes there is a moment in which a read is EIO,
  // before it is the end (n_tty_read, TTY_OTHER_CLOSED). POLLHUP tells it from the EIO of a program
  // that must not read.
  private static long readUnlessHungUp(int fd, long address, long count) {
    long result = SYSCALLS.read(fd, address, count);
    boolean isEnd =
        Errno.EIO.is(result) && (PollFd.ask(SYSCALLS, fd, 0) & Linux.EPOLLHUP) == Linux.EPOLLHUP;
    return isEnd ? 0 : result;
  }

  @Override
  public boolean isDrained() {
    return drained();
  }

  @Override
  public int tryWrite(ByteBuffer source) throws IOException {
    if (kind == Kind.SOCKET) {
      return writeFrom(source, source.remaining(), "send", RawFd::sendWithoutWaiting);
    }
    writeLock.lock();
    try {
      Transfer write = ifReady(Linux.EPOLLOUT, SYSCALLS::write);
      return writeFrom(source, writeLimit(source.remaining()), "write", write);
    } finally {
      writeLock.unlock();
    }
  }

  private static long sendWithoutWaiting(int fd, long address, long count) {
    return SYSCALLS.send(fd, address, count, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL);
  }

  private int writeLimit(int remaining) throws IOException {
    if (kind == Kind.OTHER || isNonBlocking()) {
      return remaining;
    }
    return kind == Kind.TERMINAL ? 1 : Linux.PIPE_BUF;
  }

  private boolean isNonBlocking() throws IOException {
    long flags = call("fcntl(F_GETFL)", fd -> SYSCALLS.fcntl(fd, Linux.F_GETFL, 0));
    return (flags & Linux.O_NONBLOCK) != 0;
  }
}
