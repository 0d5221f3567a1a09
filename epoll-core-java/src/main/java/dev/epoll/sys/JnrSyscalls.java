package dev.epoll.sys;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/**
 * The backend for JDK 17 and newer, on jnr-ffi.
 *
 * <p>jnr-ffi saves errno in C right after each call, per OS thread; a virtual thread cannot change
 * its carrier between the call and the reading, because nothing there parks.
 */
final class JnrSyscalls implements Syscalls {
  /**
   * The functions by their C names. Public because jnr-ffi implements it from a class of its own.
   */
  public interface LibC {
    int epoll_create1(int flags);

    int epoll_ctl(int epfd, int op, int fd, long eventAddress);

    int epoll_wait(int epfd, long eventsAddress, int maxEvents, int timeoutMillis);

    int poll(long pollfdsAddress, long count, int timeoutMillis);

    int eventfd(int initialValue, int flags);

    int pipe2(long fdsAddress, int flags);

    int close(int fd);

    long read(int fd, long address, long count);

    long write(int fd, long address, long count);

    int socket(int domain, int type, int protocol);

    int bind(int fd, long sockaddrAddress, int length);

    int listen(int fd, int backlog);

    int accept4(int fd, long sockaddrAddress, long lengthAddress, int flags);

    int connect(int fd, long sockaddrAddress, int length);

    int getsockname(int fd, long sockaddrAddress, long lengthAddress);

    int getpeername(int fd, long sockaddrAddress, long lengthAddress);

    int getsockopt(int fd, int level, int option, long valueAddress, long lengthAddress);

    int setsockopt(int fd, int level, int option, long valueAddress, int length);

    int shutdown(int fd, int how);

    long send(int fd, long address, long count, int flags);

    long sendmsg(int fd, long msghdrAddress, int flags);

    int epoll_pwait2(
        int epfd, long eventsAddress, int maxEvents, long timespecAddress, long sigmaskAddress);

    long lseek(int fd, long offset, int whence);

    int fchmod(int fd, int mode);

    long sendfile(int outFd, int inFd, long offsetAddress, long count);

    int timerfd_create(int clock, int flags);

    int timerfd_settime(int fd, int flags, long newAddress, long oldAddress);

    int timerfd_gettime(int fd, long currentAddress);

    int inotify_init1(int flags);

    int inotify_add_watch(int fd, long pathAddress, int mask);

    int inotify_rm_watch(int fd, int watch);

    int signalfd(int fd, long sigsetAddress, int flags);

    int socketpair(int domain, int type, int protocol, long fdsAddress);

    long recv(int fd, long address, long count, int flags);

    long recvmsg(int fd, long msghdrAddress, int flags);

    int recvmmsg(int fd, long mmsghdrsAddress, int count, int flags, long timespecAddress);

    int sendmmsg(int fd, long mmsghdrsAddress, int count, int flags);

    // Kernel ABI: these are variadic, which on the supported CPUs passes an int or a pointer like
    // any other argument.
    int fcntl(int fd, int command, int argument);

    int open(long pathAddress, int flags, int mode);

    int ioctl(int fd, long request, long argumentAddress);

    long syscall(long number, int first, int second, long third, int fourth);
  }

  private final LibC libc = LibraryLoader.create(LibC.class).load("c");
  private final Runtime runtime = Runtime.getRuntime(libc);
  private final boolean hasPwait2 = probePwait2();

  /**
   * Whether libc exports epoll_pwait2 (glibc 2.35): a call with a bad fd either fails in the kernel
   * or cannot be linked.
   */
  private boolean probePwait2() {
    try {
      libc.epoll_pwait2(-1, 0, 1, 0, 0);
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  private int result(int result) {
    return result == -1 ? -runtime.getLastError() : result;
  }

  private long result(long result) {
    return result == -1 ? -runtime.getLastError() : result;
  }

  @Override
  public String backend() {
    return "jnr";
  }

  @Override
  public long addressOf(ByteBuffer direct) {
    return MemoryIO.getInstance().getDirectBufferAddress(direct) + direct.position();
  }

  @Override
  public int epollPwait2(int epfd, long eventsAddress, int maxEvents, long timespecAddress) {
    return hasPwait2
        ? result(libc.epoll_pwait2(epfd, eventsAddress, maxEvents, timespecAddress, 0))
        : -Errno.ENOSYS.number;
  }

  @Override
  public int fcntl(int fd, int command, int argument) {
    return result(libc.fcntl(fd, command, argument));
  }

  @Override
  public int epollCreate1(int flags) {
    return result(libc.epoll_create1(flags));
  }

  @Override
  public int epollCtl(int epfd, int op, int fd, long eventAddress) {
    return result(libc.epoll_ctl(epfd, op, fd, eventAddress));
  }

  @Override
  public int epollWait(int epfd, long eventsAddress, int maxEvents, int timeoutMillis) {
    return result(libc.epoll_wait(epfd, eventsAddress, maxEvents, timeoutMillis));
  }

  @Override
  public int poll(long pollfdsAddress, int count, int timeoutMillis) {
    return result(libc.poll(pollfdsAddress, count, timeoutMillis));
  }

  @Override
  public int eventfd(int initialValue, int flags) {
    return result(libc.eventfd(initialValue, flags));
  }

  @Override
  public int pipe2(long fdsAddress, int flags) {
    return result(libc.pipe2(fdsAddress, flags));
  }

  @Override
  public int close(int fd) {
    return result(libc.close(fd));
  }

  @Override
  public long read(int fd, long address, long count) {
    return result(libc.read(fd, address, count));
  }

  @Override
  public long write(int fd, long address, long count) {
    return result(libc.write(fd, address, count));
  }

  @Override
  public int socket(int domain, int type, int protocol) {
    return result(libc.socket(domain, type, protocol));
  }

  @Override
  public int bind(int fd, long sockaddrAddress, int length) {
    return result(libc.bind(fd, sockaddrAddress, length));
  }

  @Override
  public int listen(int fd, int backlog) {
    return result(libc.listen(fd, backlog));
  }

  @Override
  public int accept4(int fd, long sockaddrAddress, long lengthAddress, int flags) {
    return result(libc.accept4(fd, sockaddrAddress, lengthAddress, flags));
  }

  @Override
  public int connect(int fd, long sockaddrAddress, int length) {
    return result(libc.connect(fd, sockaddrAddress, length));
  }

  @Override
  public int getsockname(int fd, long sockaddrAddress, long lengthAddress) {
    return result(libc.getsockname(fd, sockaddrAddress, lengthAddress));
  }

  @Override
  public int getpeername(int fd, long sockaddrAddress, long lengthAddress) {
    return result(libc.getpeername(fd, sockaddrAddress, lengthAddress));
  }

  @Override
  public int getsockopt(int fd, int level, int option, long valueAddress, long lengthAddress) {
    return result(libc.getsockopt(fd, level, option, valueAddress, lengthAddress));
  }

  @Override
  public int setsockopt(int fd, int level, int option, long valueAddress, int length) {
    return result(libc.setsockopt(fd, level, option, valueAddress, length));
  }

  @Override
  public int shutdown(int fd, int how) {
    return result(libc.shutdown(fd, how));
  }

  @Override
  public long send(int fd, long address, long count, int flags) {
    return result(libc.send(fd, address, count, flags));
  }

  @Override
  public long sendmsg(int fd, long msghdrAddress, int flags) {
    return result(libc.sendmsg(fd, msghdrAddress, flags));
  }

  @Override
  public int open(long pathAddress, int flags, int mode) {
    return result(libc.open(pathAddress, flags, mode));
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return result(libc.lseek(fd, offset, whence));
  }

  @Override
  public int fchmod(int fd, int mode) {
    return result(libc.fchmod(fd, mode));
  }

  @Override
  public int ioctl(int fd, long request, long argumentAddress) {
    return result(libc.ioctl(fd, request, argumentAddress));
  }

  @Override
  public long sendfile(int outFd, int inFd, long offsetAddress, long count) {
    return result(libc.sendfile(outFd, inFd, offsetAddress, count));
  }

  @Override
  public int timerfdCreate(int clock, int flags) {
    return result(libc.timerfd_create(clock, flags));
  }

  @Override
  public int timerfdSettime(int fd, int flags, long newAddress, long oldAddress) {
    return result(libc.timerfd_settime(fd, flags, newAddress, oldAddress));
  }

  @Override
  public int timerfdGettime(int fd, long currentAddress) {
    return result(libc.timerfd_gettime(fd, currentAddress));
  }

  @Override
  public int inotifyInit1(int flags) {
    return result(libc.inotify_init1(flags));
  }

  @Override
  public int inotifyAddWatch(int fd, long pathAddress, int mask) {
    return result(libc.inotify_add_watch(fd, pathAddress, mask));
  }

  @Override
  public int inotifyRmWatch(int fd, int watch) {
    return result(libc.inotify_rm_watch(fd, watch));
  }

  @Override
  public int signalfd(int fd, long sigsetAddress, int flags) {
    return result(libc.signalfd(fd, sigsetAddress, flags));
  }

  @Override
  public int socketpair(int domain, int type, int protocol, long fdsAddress) {
    return result(libc.socketpair(domain, type, protocol, fdsAddress));
  }

  @Override
  public long recv(int fd, long address, long count, int flags) {
    return result(libc.recv(fd, address, count, flags));
  }

  @Override
  public long recvmsg(int fd, long msghdrAddress, int flags) {
    return result(libc.recvmsg(fd, msghdrAddress, flags));
  }

  @Override
  public int recvmmsg(int fd, long mmsghdrsAddress, int count, int flags, long timespecAddress) {
    return result(libc.recvmmsg(fd, mmsghdrsAddress, count, flags, timespecAddress));
  }

  @Override
  public int sendmmsg(int fd, long mmsghdrsAddress, int count, int flags) {
    return result(libc.sendmmsg(fd, mmsghdrsAddress, count, flags));
  }

  // By number, because glibc has names for these only since 2.36.
  @Override
  public int pidfdOpen(int pid, int flags) {
    return (int) result(libc.syscall(Linux.SYS_PIDFD_OPEN, pid, flags, 0, 0));
  }

  @Override
  public int pidfdSendSignal(int pidfd, int signal) {
    return (int) result(libc.syscall(Linux.SYS_PIDFD_SEND_SIGNAL, pidfd, signal, 0, 0));
  }
}
