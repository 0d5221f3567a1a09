package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.AwaitableFd;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.SocketAddresses;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.channels.UnresolvedAddressException;
import java.util.Objects;

/**
 * What TCP listeners and streams have in common: options and addresses.
 *
 * <p>Thread: every method from any.
 */
public abstract sealed class TcpSocket extends AwaitableFd permits TcpListener, TcpStream {
  static final Syscalls SYSCALLS = Backend.syscalls();

  /**
   * Where the length of a sockaddr or of an option's value lies in borrowed memory, behind the
   * thing itself.
   */
  private static final int LENGTH_OFFSET = 64;

  TcpSocket(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
  }

  /** What is done to a new socket before it is registered. */
  @FunctionalInterface
  interface Preparation {
    void on(int fd) throws IOException;
  }

  /**
   * A new TCP socket of {@code address}'s family, non-blocking, close-on-exec, prepared; a failure
   * leaves none behind.
   */
  static OwnedFd open(InetSocketAddress address, TcpOptions options, Preparation preparation)
      throws IOException {
    if (address.isUnresolved()) {
      throw new UnresolvedAddressException();
    }
    int family = SocketAddresses.family(address.getAddress());
    int fd =
        SYSCALLS.socket(family, Linux.SOCK_STREAM | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC, 0);
    if (fd < 0) {
      throw new SyscallException("socket", -fd, -1);
    }
    OwnedFd owned = OwnedFd.owned(fd);
    try {
      for (var option : options.values().entrySet()) {
        check("setsockopt", set(fd, SocketOptionCodec.of(option.getKey()), option.getValue()), fd);
      }
      preparation.on(fd);
      return owned;
    } catch (Throwable e) {
      owned.close();
      throw e;
    }
  }

  static void check(String name, int result, int fd) throws SyscallException {
    if (result < 0) {
      throw new SyscallException(name, -result, fd);
    }
  }

  /** A call that takes a socket address. */
  @FunctionalInterface
  interface AddressCall {
    int on(int fd, long address, int length);
  }

  static int withAddress(InetSocketAddress address, int fd, AddressCall call) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      return call.on(fd, memory.address(), SocketAddresses.put(memory.buffer(), address));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** A call that returns a socket address. */
  @FunctionalInterface
  interface NameCall {
    int on(int fd, long address, long lengthAddress);
  }

  final InetSocketAddress name(String callName, NameCall nameCall) throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putInt(LENGTH_OFFSET, SocketAddresses.MAX_SIZE);
      call(callName, fd -> nameCall.on(fd, address, address + LENGTH_OFFSET));
      return SocketAddresses.get(memory.buffer());
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** The address that this socket is bound to. */
  public final InetSocketAddress localAddress() throws IOException {
    return name("getsockname", SYSCALLS::getsockname);
  }

  /**
   * Sets an option: those of {@link java.net.StandardSocketOptions} that TCP has, and TCP_KEEPIDLE,
   * TCP_KEEPINTERVAL and TCP_KEEPCOUNT of {@code jdk.net.ExtendedSocketOptions}. See <a
   * href="https://man7.org/linux/man-pages/man7/socket.7.html">socket(7)</a> and tcp(7).
   *
   * @throws UnsupportedOperationException if TCP sockets have no such option
   */
  public final <T> void setOption(SocketOption<T> option, T value) throws IOException {
    Objects.requireNonNull(value, "value");
    SocketOptionCodec codec = SocketOptionCodec.of(option);
    call("setsockopt", fd -> set(fd, codec, value));
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

  private static int set(int fd, SocketOptionCodec codec, Object value) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      codec.put(memory.buffer(), value);
      return SYSCALLS.setsockopt(fd, codec.level, codec.number, memory.address(), codec.size());
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * The value of an option. Kernel: buffer sizes come back doubled (socket(7)).
   *
   * @throws UnsupportedOperationException if TCP sockets have no such option
   */
  public final <T> T getOption(SocketOption<T> option) throws IOException {
    SocketOptionCodec codec = SocketOptionCodec.of(option);
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putInt(LENGTH_OFFSET, codec.size());
      call(
          "getsockopt",
          fd ->
              SYSCALLS.getsockopt(fd, codec.level, codec.number, address, address + LENGTH_OFFSET));
      return option.type().cast(codec.get(memory.buffer()));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** Takes the socket's pending error: 0 or a positive errno. */
  final int takeError() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putInt(LENGTH_OFFSET, Integer.BYTES);
      call(
          "getsockopt",
          fd ->
              SYSCALLS.getsockopt(
                  fd, Linux.SOL_SOCKET, Linux.SO_ERROR, address, address + LENGTH_OFFSET));
      return memory.buffer().getInt(0);
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** Kernel: after EINTR a connect goes on by itself, as after EINPROGRESS (connect(2)). */
  static boolean isUnderWay(int connectResult) {
    return Errno.EINPROGRESS.is(connectResult) || Errno.EINTR.is(connectResult);
  }
}
