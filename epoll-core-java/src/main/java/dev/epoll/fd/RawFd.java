package dev.epoll.fd;

import dev.epoll.Poller;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Any descriptor that somebody else made: a terminal, an inherited pipe, a C library's socket.
 * Reads and writes it without touching O_NONBLOCK, which belongs to the open file and is shared
 * with every process that has it.
 *
 * <p>A blocking descriptor is asked with poll(2) before each call; then one read does not block
 * (select(2)), and a write is kept to {@code PIPE_BUF} bytes, which a pipe that is writable takes
 * whole (pipe(7)). Where another process reads the same terminal or pipe, it may take the bytes in
 * between, and the read waits for more.
 *
 * <p>Writing to a pipe that nobody reads raises SIGPIPE, which the JVM ignores, so that the write
 * fails with EPIPE.
 */
public final class RawFd extends AwaitableFd implements ByteStream {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private volatile boolean drained;

  private RawFd(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
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

  @Override
  public int tryRead(ByteBuffer target) throws IOException {
    if (target.hasRemaining() && !isReadyFor(Linux.EPOLLIN)) {
      drained = true;
      return 0;
    }
    int count = readInto(target, "read", SYSCALLS::read);
    drained = count >= 0 && target.hasRemaining();
    return count;
  }

  @Override
  public boolean isDrained() {
    return drained;
  }

  @Override
  public int tryWrite(ByteBuffer source) throws IOException {
    if (source.hasRemaining() && !isReadyFor(Linux.EPOLLOUT)) {
      return 0;
    }
    return writeFrom(
        source, isNonBlocking() ? source.remaining() : Linux.PIPE_BUF, "write", SYSCALLS::write);
  }

  /** Whether a read or write would return at once, be it with an error. */
  private boolean isReadyFor(int events) throws IOException {
    return call("poll", fd -> PollFd.ask(SYSCALLS, fd, events)) > 0;
  }

  private boolean isNonBlocking() throws IOException {
    return (call("fcntl(F_GETFL)", fd -> SYSCALLS.fcntl(fd, Linux.F_GETFL, 0)) & Linux.O_NONBLOCK)
        != 0;
  }
}
