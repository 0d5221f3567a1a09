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

    // Kernel ABI: fcntl is variadic, which on the supported CPUs passes an int like any other
    // argument.
    int fcntl(int fd, int command, int argument);
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
}
