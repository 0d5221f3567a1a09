package dev.epoll;

import dev.epoll.sys.Errno;
import java.io.IOException;

/** A system call failed. Says which, on which fd, and with which errno. */
public final class SyscallException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;
  private final int fd;

  /**
   * Describes a failed call.
   *
   * @param call what was called, as the man page or strace names it, for example {@code
   *     epoll_ctl(ADD)}
   * @param errno the positive errno
   * @param fd the descriptor that the call was about, or -1
   */
  public SyscallException(String call, int errno, int fd) {
    this(call, errno, fd, "");
  }

  /** The same, with {@code advice}: what the errno means here and what to do about it. */
  public SyscallException(String call, int errno, int fd, String advice) {
    super(describe(call, errno, fd, advice));
    this.call = call;
    this.errno = errno;
    this.fd = fd;
  }

  private static String describe(String call, int errno, int fd, String advice) {
    return "%s%s: %s (%s)%s"
        .formatted(
            call,
            fd < 0 ? "" : " on fd " + fd,
            Errno.name(errno),
            Errno.text(errno),
            advice.isEmpty() ? "" : ": " + advice);
  }

  /** What was called. */
  public String call() {
    return call;
  }

  /** The positive errno. */
  public int errno() {
    return errno;
  }

  /** The symbolic name, for example {@code EPERM}. */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** The descriptor that the call was about, or -1. */
  public int fd() {
    return fd;
  }
}
