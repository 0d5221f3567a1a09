package dev.epoll.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The backend for JDK 22 and newer, on java.lang.foreign. Pointers travel as longs, so that a call
 * makes no segment.
 *
 * <p>No call is {@link Linker.Option#critical}: such a call keeps its thread from reaching a
 * safepoint, and every one of these can block, if only on a kernel lock.
 */
final class FfmSyscalls implements Syscalls {
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle EPOLL_CREATE1 = handle("epoll_create1", JAVA_INT, JAVA_INT);
  private static final MethodHandle EPOLL_CTL =
      handle("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle EPOLL_WAIT =
      handle("epoll_wait", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
  private static final MethodHandle POLL = handle("poll", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle EVENTFD = handle("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle PIPE2 = handle("pipe2", JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = handle("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle READ =
      handle("read", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle WRITE =
      handle("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SOCKET =
      handle("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND = handle("bind", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle LISTEN = handle("listen", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle ACCEPT4 =
      handle("accept4", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CONNECT =
      handle("connect", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle GETSOCKNAME =
      handle("getsockname", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle GETPEERNAME =
      handle("getpeername", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle GETSOCKOPT =
      handle("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SETSOCKOPT =
      handle("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SHUTDOWN = handle("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SEND =
      handle("send", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SENDMSG =
      handle("sendmsg", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final @Nullable MethodHandle EPOLL_PWAIT2 =
      handleOrNull("epoll_pwait2", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle FCNTL =
      handle(
          "fcntl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle LSEEK =
      handle("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FCHMOD = handle("fchmod", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle IOCTL =
      handle(
          "ioctl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle SENDFILE =
      handle("sendfile", JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle TIMERFD_CREATE =
      handle("timerfd_create", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle TIMERFD_SETTIME =
      handle("timerfd_settime", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle TIMERFD_GETTIME =
      handle("timerfd_gettime", JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle INOTIFY_INIT1 = handle("inotify_init1", JAVA_INT, JAVA_INT);
  private static final MethodHandle INOTIFY_ADD_WATCH =
      handle("inotify_add_watch", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle INOTIFY_RM_WATCH =
      handle("inotify_rm_watch", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SIGNALFD =
      handle("signalfd", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SOCKETPAIR =
      handle("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle RECV =
      handle("recv", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle RECVMSG =
      handle("recvmsg", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle RECVMMSG =
      handle("recvmmsg", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle SENDMMSG =
      handle("sendmmsg", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
  private static final MethodHandle SYSCALL =
      handle(
          "syscall",
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT),
          Linker.Option.firstVariadicArg(1));

  private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... arguments) {
    return handle(name, FunctionDescriptor.of(result, arguments));
  }

  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    MemorySegment function =
        LINKER
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new IllegalStateException("libc has no function " + name));
    Linker.Option[] withErrno = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, withErrno, 0, options.length);
    withErrno[options.length] = ErrnoCapture.OPTION;
    return LINKER.downcallHandle(function, descriptor, withErrno);
  }

  private static @Nullable MethodHandle handleOrNull(
      String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.defaultLookup().find(name).isPresent() ? handle(name, result, arguments) : null;
  }

  private static int result(int result, MemorySegment errno) {
    int value = result == -1 ? -ErrnoCapture.errno(errno) : result;
    ErrnoCapture.giveBack(errno);
    return value;
  }

  private static long result(long result, MemorySegment errno) {
    long value = result == -1 ? -ErrnoCapture.errno(errno) : result;
    ErrnoCapture.giveBack(errno);
    return value;
  }

  /** A downcall handle declares Throwable and throws nothing that is checked. */
  private static AssertionError unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    if (e instanceof RuntimeException exception) {
      throw exception;
    }
    return new AssertionError(e);
  }

  @Override
  public String backend() {
    return "ffm";
  }

  @Override
  public long addressOf(ByteBuffer direct) {
    return MemorySegment.ofBuffer(direct).address();
  }

  @Override
  public int epollPwait2(int epfd, long eventsAddress, int maxEvents, long timespecAddress) {
    MethodHandle pwait2 = EPOLL_PWAIT2;
    if (pwait2 == null) {
      return -Errno.ENOSYS.number;
    }
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) pwait2.invokeExact(errno, epfd, eventsAddress, maxEvents, timespecAddress, 0L),
          errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int fcntl(int fd, int command, int argument) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) FCNTL.invokeExact(errno, fd, command, argument), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int epollCreate1(int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) EPOLL_CREATE1.invokeExact(errno, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int epollCtl(int epfd, int op, int fd, long eventAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) EPOLL_CTL.invokeExact(errno, epfd, op, fd, eventAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int epollWait(int epfd, long eventsAddress, int maxEvents, int timeoutMillis) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) EPOLL_WAIT.invokeExact(errno, epfd, eventsAddress, maxEvents, timeoutMillis),
          errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int poll(long pollfdsAddress, int count, int timeoutMillis) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) POLL.invokeExact(errno, pollfdsAddress, (long) count, timeoutMillis), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int eventfd(int initialValue, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) EVENTFD.invokeExact(errno, initialValue, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int pipe2(long fdsAddress, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) PIPE2.invokeExact(errno, fdsAddress, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int close(int fd) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) CLOSE.invokeExact(errno, fd), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long read(int fd, long address, long count) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) READ.invokeExact(errno, fd, address, count), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long write(int fd, long address, long count) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) WRITE.invokeExact(errno, fd, address, count), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int socket(int domain, int type, int protocol) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) SOCKET.invokeExact(errno, domain, type, protocol), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int bind(int fd, long sockaddrAddress, int length) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) BIND.invokeExact(errno, fd, sockaddrAddress, length), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int listen(int fd, int backlog) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) LISTEN.invokeExact(errno, fd, backlog), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int accept4(int fd, long sockaddrAddress, long lengthAddress, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) ACCEPT4.invokeExact(errno, fd, sockaddrAddress, lengthAddress, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int connect(int fd, long sockaddrAddress, int length) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) CONNECT.invokeExact(errno, fd, sockaddrAddress, length), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int getsockname(int fd, long sockaddrAddress, long lengthAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) GETSOCKNAME.invokeExact(errno, fd, sockaddrAddress, lengthAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int getpeername(int fd, long sockaddrAddress, long lengthAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) GETPEERNAME.invokeExact(errno, fd, sockaddrAddress, lengthAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int getsockopt(int fd, int level, int option, long valueAddress, long lengthAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) GETSOCKOPT.invokeExact(errno, fd, level, option, valueAddress, lengthAddress),
          errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int setsockopt(int fd, int level, int option, long valueAddress, int length) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) SETSOCKOPT.invokeExact(errno, fd, level, option, valueAddress, length), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int shutdown(int fd, int how) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) SHUTDOWN.invokeExact(errno, fd, how), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long send(int fd, long address, long count, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) SEND.invokeExact(errno, fd, address, count, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long sendmsg(int fd, long msghdrAddress, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) SENDMSG.invokeExact(errno, fd, msghdrAddress, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int open(long pathAddress, int flags, int mode) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) OPEN.invokeExact(errno, pathAddress, flags, mode), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) LSEEK.invokeExact(errno, fd, offset, whence), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int fchmod(int fd, int mode) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) FCHMOD.invokeExact(errno, fd, mode), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int ioctl(int fd, long request, long argumentAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) IOCTL.invokeExact(errno, fd, request, argumentAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long sendfile(int outFd, int inFd, long offsetAddress, long count) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) SENDFILE.invokeExact(errno, outFd, inFd, offsetAddress, count), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int timerfdCreate(int clock, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) TIMERFD_CREATE.invokeExact(errno, clock, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int timerfdSettime(int fd, int flags, long newAddress, long oldAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) TIMERFD_SETTIME.invokeExact(errno, fd, flags, newAddress, oldAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int timerfdGettime(int fd, long currentAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) TIMERFD_GETTIME.invokeExact(errno, fd, currentAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int inotifyInit1(int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) INOTIFY_INIT1.invokeExact(errno, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int inotifyAddWatch(int fd, long pathAddress, int mask) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) INOTIFY_ADD_WATCH.invokeExact(errno, fd, pathAddress, mask), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int inotifyRmWatch(int fd, int watch) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) INOTIFY_RM_WATCH.invokeExact(errno, fd, watch), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int signalfd(int fd, long sigsetAddress, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) SIGNALFD.invokeExact(errno, fd, sigsetAddress, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int socketpair(int domain, int type, int protocol, long fdsAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) SOCKETPAIR.invokeExact(errno, domain, type, protocol, fdsAddress), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long recv(int fd, long address, long count, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) RECV.invokeExact(errno, fd, address, count, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long recvmsg(int fd, long msghdrAddress, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) RECVMSG.invokeExact(errno, fd, msghdrAddress, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int recvmmsg(int fd, long mmsghdrsAddress, int count, int flags, long timespecAddress) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result(
          (int) RECVMMSG.invokeExact(errno, fd, mmsghdrsAddress, count, flags, timespecAddress),
          errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int sendmmsg(int fd, long mmsghdrsAddress, int count, int flags) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((int) SENDMMSG.invokeExact(errno, fd, mmsghdrsAddress, count, flags), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int pidfdOpen(int pid, int flags) {
    return (int) syscall(Linux.SYS_PIDFD_OPEN, pid, flags, 0, 0);
  }

  @Override
  public int pidfdSendSignal(int pidfd, int signal) {
    return (int) syscall(Linux.SYS_PIDFD_SEND_SIGNAL, pidfd, signal, 0, 0);
  }

  /** By number, for calls that glibc has names for only since 2.36. */
  private static long syscall(long number, int first, int second, long third, int fourth) {
    MemorySegment errno = ErrnoCapture.take();
    try {
      return result((long) SYSCALL.invokeExact(errno, number, first, second, third, fourth), errno);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
