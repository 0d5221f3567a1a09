package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.AwaitableFd;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.SocketAddresses;
import dev.epoll.sys.SocketMessage;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What all sockets have in common: addresses, options, the pending error; see <a
 * href="https://man7.org/linux/man-pages/man7/socket.7.html">socket(7)</a>.
 *
 * <p>Thread: every method from any.
 *
 * @param <A> the type of its addresses
 */
public abstract sealed class SocketFd<A extends SocketAddress> extends AwaitableFd
    permits ListenerSocket, StreamSocket, DatagramEndpoint {
  static final Syscalls SYSCALLS = Backend.syscalls();

  /** Where the length of an address or of an option's value lies, behind the thing itself. */
  private static final int LENGTH_OFFSET = 128;

  private final SocketTraits<A> traits;

  SocketFd(Poller poller, OwnedFd fd, SocketTraits<A> traits) throws IOException {
    super(poller, fd);
    this.traits = traits;
  }

  final AddressFormat<A> format() {
    return traits.format();
  }

  /** Whether the options that IPv4 and IPv6 number differently are to be those of IPv6. */
  boolean isIpv6() {
    return false;
  }

  /** A call that returns a socket address. */
  @FunctionalInterface
  interface NameCall {
    int on(int fd, long address, long lengthAddress);
  }

  final A name(String callName, NameCall nameCall) throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putInt(LENGTH_OFFSET, SocketAddresses.MAX_SIZE);
      call(callName, fd -> nameCall.on(fd, address, address + LENGTH_OFFSET));
      return format().get(memory.buffer(), memory.buffer().getInt(LENGTH_OFFSET));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** The address that this socket is bound to. */
  public final A localAddress() throws IOException {
    return name("getsockname", SYSCALLS::getsockname);
  }

  /**
   * Sets an option: those of {@link java.net.StandardSocketOptions} that this kind of socket has,
   * {@link TcpStream#SO_OOBINLINE}, and TCP_KEEPIDLE, TCP_KEEPINTERVAL and TCP_KEEPCOUNT of {@code
   * jdk.net.ExtendedSocketOptions}. See socket(7), tcp(7), udp(7) and ip(7).
   *
   * @throws UnsupportedOperationException if this kind of socket has no such option
   */
  public final <T> void setOption(SocketOption<T> option, T value) throws IOException {
    Objects.requireNonNull(value, "value");
    SocketOptionCodec codec = SocketOptionCodec.of(option, traits.options());
    call("setsockopt", fd -> SocketCalls.setOption(fd, codec, value, isIpv6()));
  }

  /**
   * The value of an option. Kernel: buffer sizes come back doubled (socket(7)).
   *
   * @throws UnsupportedOperationException if this kind of socket has no such option, or it cannot
   *     be read (IP_MULTICAST_IF)
   */
  public final <T> T getOption(SocketOption<T> option) throws IOException {
    SocketOptionCodec codec = SocketOptionCodec.of(option, traits.options());
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      readOption(memory, codec.level(isIpv6()), codec.number(isIpv6()), codec.size(isIpv6()));
      return option.type().cast(codec.get(memory.buffer()));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** Reads an option of at most {@code size} bytes to the start of {@code memory}. */
  final void readOption(NativeMemory memory, int level, int option, int size) throws IOException {
    long address = memory.address();
    memory.buffer().putInt(LENGTH_OFFSET, size);
    call(
        "getsockopt",
        fd -> SYSCALLS.getsockopt(fd, level, option, address, address + LENGTH_OFFSET));
  }

  /** Takes the socket's pending error: 0 or a positive errno. */
  final int takeError() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      readOption(memory, Linux.SOL_SOCKET, Linux.SO_ERROR, Integer.BYTES);
      return memory.buffer().getInt(0);
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** What came in with a message. */
  record Received<A>(int bytes, A sender) {}

  /**
   * Sends one message of the next {@code count} bytes of {@code source}: to {@code target}, or to
   * whom the socket is connected to. The position of {@code source} moves past what was sent.
   *
   * @return the number of bytes, or {@link #WOULD_BLOCK}
   */
  final long sendMessage(ByteBuffer source, int count, @Nullable A target, int... fds)
      throws IOException {
    boolean hasAddress = source.isDirect() && count > 0;
    NativeMemory memory = SocketMessage.take(SYSCALLS, hasAddress ? 0 : count);
    try {
      long address = SocketMessage.bytesAddress(memory);
      if (hasAddress) {
        address = NativeMemory.addressOf(SYSCALLS, source);
      } else {
        SocketMessage.bytes(memory, count).put(0, source, source.position(), count);
      }
      SocketMessage.describe(memory, address, count);
      if (target != null) {
        int length = format().put(SocketMessage.name(memory), target);
        SocketMessage.putNameLength(memory, length);
      }
      if (fds.length > 0) {
        SocketMessage.putFds(memory, fds);
      }
      long message = memory.address();
      long sent = call("sendmsg", fd -> SYSCALLS.sendmsg(fd, message, Linux.MSG_NOSIGNAL));
      if (sent != WOULD_BLOCK) {
        source.position(source.position() + (int) sent);
      }
      return sent;
    } finally {
      SocketMessage.giveBack(memory);
      Reference.reachabilityFence(source);
    }
  }

  /**
   * Receives one message of at most {@code room} bytes, and what descriptors come with it. The
   * position of {@code target} moves past what was received.
   *
   * @param fds null refuses descriptors: the kernel closes them
   * @return null if it would block
   */
  final @Nullable Received<A> receiveMessage(ByteBuffer target, int room, @Nullable ReceivedFds fds)
      throws IOException {
    checkWritable(target);
    boolean hasAddress = target.isDirect() && room > 0;
    NativeMemory memory = SocketMessage.take(SYSCALLS, hasAddress ? 0 : room);
    try {
      long address =
          hasAddress
              ? NativeMemory.addressOf(SYSCALLS, target)
              : SocketMessage.bytesAddress(memory);
      SocketMessage.describe(memory, address, room);
      SocketMessage.putNameLength(memory, SocketAddresses.MAX_SIZE);
      if (fds != null) {
        SocketMessage.putRoomForFds(memory, fds.capacity());
      }
      long message = memory.address();
      long result = call("recvmsg", fd -> SYSCALLS.recvmsg(fd, message, Linux.MSG_CMSG_CLOEXEC));
      if (result == WOULD_BLOCK) {
        return null;
      }
      int bytes = (int) result;
      if (fds != null) {
        fds.add(SocketMessage.fds(memory), SocketMessage.hasLostFds(memory));
      }
      if (hasAddress) {
        target.position(target.position() + bytes);
      } else {
        target.put(SocketMessage.bytes(memory, bytes));
      }
      A sender = format().get(SocketMessage.name(memory), SocketMessage.nameLength(memory));
      return new Received<>(bytes, sender);
    } finally {
      SocketMessage.giveBack(memory);
      Reference.reachabilityFence(target);
    }
  }

  static void check(String name, int result, int fd) throws SyscallException {
    if (result < 0) {
      throw new SyscallException(name, -result, fd);
    }
  }
}
