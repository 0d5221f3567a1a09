package dev.epoll.net;

import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.net.SocketAddress;

/** Calls on the number of a socket before there is an object for it; results as the seam's. */
final class SocketCalls {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private SocketCalls() {}

  /** What is done to a new socket before it is registered. */
  @FunctionalInterface
  interface Preparation {
    void on(int fd) throws IOException;
  }

  /**
   * A new socket, non-blocking and close-on-exec, prepared; a failure leaves none behind.
   *
   * @param type SOCK_STREAM or SOCK_DGRAM
   */
  static OwnedFd open(int family, int type, Preparation preparation) throws IOException {
    int fd = SYSCALLS.socket(family, type | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC, 0);
    if (fd < 0) {
      throw new SyscallException("socket", -fd, -1);
    }
    OwnedFd owned = OwnedFd.owned(fd);
    try {
      preparation.on(fd);
      return owned;
    } catch (Throwable e) {
      owned.close();
      throw e;
    }
  }

  /** A call that takes a socket address. */
  @FunctionalInterface
  interface AddressCall {
    int on(int fd, long address, int length);
  }

  static <A extends SocketAddress> int withAddress(
      AddressFormat<A> format, A address, int fd, AddressCall call) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      return call.on(fd, memory.address(), format.put(memory.buffer(), address));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  static <A extends SocketAddress> void bind(AddressFormat<A> format, A local, int fd)
      throws IOException {
    int result = withAddress(format, local, fd, SYSCALLS::bind);
    if (result < 0) {
      throw SocketExceptions.ofBind("bind", -result, fd, local);
    }
  }

  static void listen(SocketAddress local, int backlog, int fd) throws IOException {
    int result = SYSCALLS.listen(fd, backlog);
    if (result < 0) {
      throw SocketExceptions.ofBind("listen", -result, fd, local);
    }
  }

  static int setInt(int fd, int level, int option, int value) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      memory.buffer().putInt(0, value);
      return SYSCALLS.setsockopt(fd, level, option, memory.address(), Integer.BYTES);
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * Makes a socket of IPv6 one of IPv4 too. Kernel: whether it is that by itself depends on the
   * sysctl net.ipv6.bindv6only (ipv6(7)).
   */
  static void acceptIpv4Too(int fd) throws SyscallException {
    int result = setInt(fd, Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY, 0);
    SocketFd.check("setsockopt(IPV6_V6ONLY)", result, fd);
  }

  /** An option of type int, or {@code -errno}. */
  static int getInt(int fd, int level, int option) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      memory.buffer().putInt(0, Integer.BYTES);
      long value = memory.address() + Integer.BYTES;
      int result = SYSCALLS.getsockopt(fd, level, option, value, memory.address());
      return result < 0 ? result : memory.buffer().getInt(Integer.BYTES);
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  static int setOption(int fd, SocketOptionCodec codec, Object value, boolean isIpv6) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      codec.put(memory.buffer(), value, isIpv6);
      return SYSCALLS.setsockopt(
          fd, codec.level(isIpv6), codec.number(isIpv6), memory.address(), codec.size(isIpv6));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  static boolean isIpv6(int fd) {
    return getInt(fd, Linux.SOL_SOCKET, Linux.SO_DOMAIN) == Linux.AF_INET6;
  }

  /** Kernel: after EINTR a connect goes on by itself, as after EINPROGRESS (connect(2)). */
  static boolean isUnderWay(int connectResult) {
    return Errno.EINPROGRESS.is(connectResult) || Errno.EINTR.is(connectResult);
  }
}
