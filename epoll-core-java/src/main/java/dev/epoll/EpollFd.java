package dev.epoll;

import dev.epoll.sys.EpollEvent;
import dev.epoll.sys.Errno;
import dev.epoll.sys.EventBuffer;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The epoll fd: its three calls and what their errnos mean. Owns the fd and nothing else: who is in
 * the set is known above.
 *
 * <p>Thread: {@link #control} from any; {@link #await} from one at a time per {@link EventBuffer}.
 * Nobody may be inside a call when {@link #close} runs, which the owners see to.
 */
final class EpollFd {
  /** Timeout that stands for "for ever". */
  static final long FOREVER = -1;

  private static final long NANOS_PER_MILLI = 1_000_000;

  private final Syscalls syscalls;
  private final int fd;
  private volatile boolean hasPwait2 = true;

  private EpollFd(Syscalls syscalls, int fd) {
    this.syscalls = syscalls;
    this.fd = fd;
  }

  static EpollFd open(Syscalls syscalls) throws SyscallException {
    int fd = syscalls.epollCreate1(Linux.EPOLL_CLOEXEC);
    if (fd < 0) {
      throw new SyscallException("epoll_create1", -fd, -1);
    }
    return new EpollFd(syscalls, fd);
  }

  int fd() {
    return fd;
  }

  /**
   * epoll_ctl(2): 0 or {@code -errno}. {@code mask} and {@code data} mean nothing for
   * EPOLL_CTL_DEL.
   */
  int control(int op, int target, int mask, long data) {
    NativeMemory event = ScratchMemory.take(syscalls);
    try {
      EpollEvent.put(event, mask, data);
      return syscalls.epollCtl(fd, op, target, event.address());
    } finally {
      ScratchMemory.giveBack(event);
    }
  }

  /**
   * Waits until there are events or {@code timeoutNanos} have passed, never less; {@link #FOREVER}
   * and 0 as their names say. Returns the number of events in {@code events}.
   *
   * <p>Kernel: epoll_wait(2) fails with EINTR when a signal handler ran, even with SA_RESTART
   * (signal(7)); the wait goes on to the same deadline.
   */
  int await(EventBuffer events, long timeoutNanos) throws SyscallException {
    long deadline = timeoutNanos > 0 ? System.nanoTime() + timeoutNanos : 0;
    long remaining = timeoutNanos;
    while (true) {
      int result = awaitOnce(events, remaining);
      if (result > 0 || (result == 0 && timeoutNanos <= 0)) {
        return result;
      }
      if (result < 0 && !Errno.EINTR.is(result)) {
        throw new SyscallException("epoll_wait", -result, fd);
      }
      if (timeoutNanos > 0) {
        remaining = deadline - System.nanoTime();
        if (remaining <= 0) {
          if (result == 0) {
            return 0;
          }
          // A signal came as the time ran out: the events that are there still count.
          remaining = 0;
        }
      }
    }
  }

  private int awaitOnce(EventBuffer events, long nanos) {
    try {
      if (nanos > 0 && hasPwait2) {
        int result =
            syscalls.epollPwait2(fd, events.address(), events.capacity(), events.timespec(nanos));
        // EPERM is how a seccomp filter refuses a call that is younger than it.
        if (!Errno.ENOSYS.is(result) && !Errno.EPERM.is(result)) {
          return result;
        }
        hasPwait2 = false;
      }
      return syscalls.epollWait(fd, events.address(), events.capacity(), millisRoundedUp(nanos));
    } finally {
      Reference.reachabilityFence(events);
    }
  }

  /**
   * Rounded up, so that a wait is never early and a short one never spins; clamped, so that it
   * stays positive.
   */
  static int millisRoundedUp(long nanos) {
    if (nanos <= 0) {
      return (int) nanos;
    }
    long millis = nanos / NANOS_PER_MILLI + (nanos % NANOS_PER_MILLI == 0 ? 0 : 1);
    return (int) Math.min(millis, Integer.MAX_VALUE);
  }

  void close() {
    syscalls.close(fd);
  }

  /** The exception for a failed {@link #control}, with what the errno means for {@code target}. */
  static SyscallException failure(int op, int target, int errno) {
    String call =
        switch (op) {
          case Linux.EPOLL_CTL_ADD -> "epoll_ctl(ADD)";
          case Linux.EPOLL_CTL_MOD -> "epoll_ctl(MOD)";
          default -> "epoll_ctl(DEL)";
        };
    return new SyscallException(call, errno, target, advice(target, errno));
  }

  private static String advice(int target, int errno) {
    if (Errno.EPERM.is(-errno)) {
      return pathOf(target)
          + " cannot be polled: a regular file, directory or /dev/null is always ready, so use it"
          + " without awaiting (FileChannel, FileInputStream)";
    }
    if (Errno.EBADF.is(-errno)) {
      return "it is not an open descriptor, or was opened with O_PATH";
    }
    if (Errno.ENOENT.is(-errno)) {
      return "it is not in this set; was the fd closed and its number reused before the"
          + " registration was closed?";
    }
    if (Errno.EEXIST.is(-errno)) {
      return "it is in this set already";
    }
    if (Errno.ELOOP.is(-errno)) {
      return "epoll sets that watch each other must not form a ring or a chain of more than 5";
    }
    if (Errno.ENOSPC.is(-errno)) {
      return "this user watches as many descriptors as the sysctl fs.epoll.max_user_watches allows:"
          + " raise it";
    }
    return "";
  }

  /** What /proc/self/fd says that {@code fd} is. */
  static String pathOf(int fd) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    } catch (IOException e) {
      return "the fd";
    }
  }
}
