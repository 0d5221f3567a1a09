package dev.epoll.sys;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The backend for JDK 22 and newer, on java.lang.foreign. */
final class FfmSyscalls implements Syscalls {
  private static final LibcFunction EPOLL_CREATE1 = LibcFunction.named("epoll_create1");
  private static final LibcFunction EPOLL_CTL = LibcFunction.named("epoll_ctl");
  private static final LibcFunction EPOLL_WAIT = LibcFunction.named("epoll_wait");
  private static final @Nullable LibcFunction EPOLL_PWAIT2 =
      LibcFunction.namedOrNull("epoll_pwait2");
  private static final LibcFunction POLL = LibcFunction.named("poll");
  private static final LibcFunction EVENTFD = LibcFunction.named("eventfd");
  private static final LibcFunction PIPE2 = LibcFunction.named("pipe2");
  private static final LibcFunction FCNTL = LibcFunction.named("fcntl");
  private static final LibcFunction CLOSE = LibcFunction.named("close");
  private static final LibcFunction READ = LibcFunction.named("read");
  private static final LibcFunction WRITE = LibcFunction.named("write");
  private static final LibcFunction SOCKET = LibcFunction.named("socket");
  private static final LibcFunction BIND = LibcFunction.named("bind");
  private static final LibcFunction LISTEN = LibcFunction.named("listen");
  private static final LibcFunction ACCEPT4 = LibcFunction.named("accept4");
  private static final LibcFunction CONNECT = LibcFunction.named("connect");
  private static final LibcFunction GETSOCKNAME = LibcFunction.named("getsockname");
  private static final LibcFunction GETPEERNAME = LibcFunction.named("getpeername");
  private static final LibcFunction GETSOCKOPT = LibcFunction.named("getsockopt");
  private static final LibcFunction SETSOCKOPT = LibcFunction.named("setsockopt");
  private static final LibcFunction SHUTDOWN = LibcFunction.named("shutdown");
  private static final LibcFunction SENDMSG = LibcFunction.named("sendmsg");
  private static final LibcFunction OPEN = LibcFunction.named("open");
  private static final LibcFunction LSEEK = LibcFunction.named("lseek");
  private static final LibcFunction FCHMOD = LibcFunction.named("fchmod");
  private static final LibcFunction IOCTL = LibcFunction.named("ioctl");
  private static final LibcFunction SENDFILE = LibcFunction.named("sendfile");
  private static final LibcFunction TIMERFD_CREATE = LibcFunction.named("timerfd_create");
  private static final LibcFunction TIMERFD_SETTIME = LibcFunction.named("timerfd_settime");
  private static final LibcFunction TIMERFD_GETTIME = LibcFunction.named("timerfd_gettime");
  private static final LibcFunction INOTIFY_INIT1 = LibcFunction.named("inotify_init1");
  private static final LibcFunction INOTIFY_ADD_WATCH = LibcFunction.named("inotify_add_watch");
  private static final LibcFunction INOTIFY_RM_WATCH = LibcFunction.named("inotify_rm_watch");
  private static final LibcFunction SIGNALFD = LibcFunction.named("signalfd");
  private static final LibcFunction SOCKETPAIR = LibcFunction.named("socketpair");
  private static final LibcFunction RECVMSG = LibcFunction.named("recvmsg");
  private static final LibcFunction RECVMMSG = LibcFunction.named("recvmmsg");
  private static final LibcFunction SENDMMSG = LibcFunction.named("sendmmsg");

  /**
   * By number: calls that glibc has names for only since 2.36, and the two that move a stream's
   * bytes. Their functions are cancellation points (pthreads(7)): two atomic operations each in a
   * process with threads, 1 % of an echo.
   */
  private static final LibcFunction SYSCALL = LibcFunction.named("syscall");

  @Override
  public String backend() {
    return "ffm";
  }

  @Override
  public long addressOf(ByteBuffer direct) {
    return MemorySegment.ofBuffer(direct).address();
  }

  @Override
  public int epollCreate1(int flags) {
    return EPOLL_CREATE1.call(flags);
  }

  @Override
  public int epollCtl(int epfd, int op, int fd, long eventAddress) {
    return EPOLL_CTL.call(epfd, op, fd, eventAddress);
  }

  @Override
  public int epollWait(int epfd, long eventsAddress, int maxEvents, int timeoutMillis) {
    return EPOLL_WAIT.call(epfd, eventsAddress, maxEvents, timeoutMillis);
  }

  @Override
  public int epollPwait2(int epfd, long eventsAddress, int maxEvents, long timespecAddress) {
    return EPOLL_PWAIT2 == null
        ? -Errno.ENOSYS.number
        : EPOLL_PWAIT2.call(epfd, eventsAddress, maxEvents, timespecAddress, 0);
  }

  @Override
  public int poll(long pollfdsAddress, int count, int timeoutMillis) {
    return POLL.call(pollfdsAddress, count, timeoutMillis);
  }

  @Override
  public int eventfd(int initialValue, int flags) {
    return EVENTFD.call(initialValue, flags);
  }

  @Override
  public int pipe2(long fdsAddress, int flags) {
    return PIPE2.call(fdsAddress, flags);
  }

  @Override
  public int fcntl(int fd, int command, int argument) {
    return FCNTL.call(fd, command, argument);
  }

  @Override
  public int close(int fd) {
    return CLOSE.call(fd);
  }

  @Override
  public long read(int fd, long address, long count) {
    return READ.callForLong(fd, address, count);
  }

  @Override
  public long write(int fd, long address, long count) {
    return WRITE.callForLong(fd, address, count);
  }

  @Override
  public int socket(int domain, int type, int protocol) {
    return SOCKET.call(domain, type, protocol);
  }

  @Override
  public int bind(int fd, long sockaddrAddress, int length) {
    return BIND.call(fd, sockaddrAddress, length);
  }

  @Override
  public int listen(int fd, int backlog) {
    return LISTEN.call(fd, backlog);
  }

  @Override
  public int accept4(int fd, long sockaddrAddress, long lengthAddress, int flags) {
    return ACCEPT4.call(fd, sockaddrAddress, lengthAddress, flags);
  }

  @Override
  public int connect(int fd, long sockaddrAddress, int length) {
    return CONNECT.call(fd, sockaddrAddress, length);
  }

  @Override
  public int getsockname(int fd, long sockaddrAddress, long lengthAddress) {
    return GETSOCKNAME.call(fd, sockaddrAddress, lengthAddress);
  }

  @Override
  public int getpeername(int fd, long sockaddrAddress, long lengthAddress) {
    return GETPEERNAME.call(fd, sockaddrAddress, lengthAddress);
  }

  @Override
  public int getsockopt(int fd, int level, int option, long valueAddress, long lengthAddress) {
    return GETSOCKOPT.call(fd, level, option, valueAddress, lengthAddress);
  }

  @Override
  public int setsockopt(int fd, int level, int option, long valueAddress, int length) {
    return SETSOCKOPT.call(fd, level, option, valueAddress, length);
  }

  @Override
  public int shutdown(int fd, int how) {
    return SHUTDOWN.call(fd, how);
  }

  @Override
  public long send(int fd, long address, long count, int flags) {
    return SYSCALL.callForLong(Linux.SYS_SENDTO, fd, address, count, flags, 0);
  }

  @Override
  public long sendmsg(int fd, long msghdrAddress, int flags) {
    return SENDMSG.callForLong(fd, msghdrAddress, flags);
  }

  @Override
  public int open(long pathAddress, int flags, int mode) {
    return OPEN.call(pathAddress, flags, mode);
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return LSEEK.callForLong(fd, offset, whence);
  }

  @Override
  public int fchmod(int fd, int mode) {
    return FCHMOD.call(fd, mode);
  }

  @Override
  public int ioctl(int fd, long request, long argumentAddress) {
    return IOCTL.call(fd, request, argumentAddress);
  }

  @Override
  public long sendfile(int outFd, int inFd, long offsetAddress, long count) {
    return SENDFILE.callForLong(outFd, inFd, offsetAddress, count);
  }

  @Override
  public int timerfdCreate(int clock, int flags) {
    return TIMERFD_CREATE.call(clock, flags);
  }

  @Override
  public int timerfdSettime(int fd, int flags, long newAddress, long oldAddress) {
    return TIMERFD_SETTIME.call(fd, flags, newAddress, oldAddress);
  }

  @Override
  public int timerfdGettime(int fd, long currentAddress) {
    return TIMERFD_GETTIME.call(fd, currentAddress);
  }

  @Override
  public int inotifyInit1(int flags) {
    return INOTIFY_INIT1.call(flags);
  }

  @Override
  public int inotifyAddWatch(int fd, long pathAddress, int mask) {
    return INOTIFY_ADD_WATCH.call(fd, pathAddress, mask);
  }

  @Override
  public int inotifyRmWatch(int fd, int watch) {
    return INOTIFY_RM_WATCH.call(fd, watch);
  }

  @Override
  public int signalfd(int fd, long sigsetAddress, int flags) {
    return SIGNALFD.call(fd, sigsetAddress, flags);
  }

  @Override
  public int socketpair(int domain, int type, int protocol, long fdsAddress) {
    return SOCKETPAIR.call(domain, type, protocol, fdsAddress);
  }

  @Override
  public long recv(int fd, long address, long count, int flags) {
    return SYSCALL.callForLong(Linux.SYS_RECVFROM, fd, address, count, flags, 0);
  }

  @Override
  public long recvmsg(int fd, long msghdrAddress, int flags) {
    return RECVMSG.callForLong(fd, msghdrAddress, flags);
  }

  @Override
  public int recvmmsg(int fd, long mmsghdrsAddress, int count, int flags, long timespecAddress) {
    return RECVMMSG.call(fd, mmsghdrsAddress, count, flags, timespecAddress);
  }

  @Override
  public int sendmmsg(int fd, long mmsghdrsAddress, int count, int flags) {
    return SENDMMSG.call(fd, mmsghdrsAddress, count, flags);
  }

  @Override
  public int pidfdOpen(int pid, int flags) {
    return (int) SYSCALL.callForLong(Linux.SYS_PIDFD_OPEN, pid, flags);
  }

  @Override
  public int pidfdSendSignal(int pidfd, int signal) {
    return (int) SYSCALL.callForLong(Linux.SYS_PIDFD_SEND_SIGNAL, pidfd, signal, 0, 0);
  }
}
