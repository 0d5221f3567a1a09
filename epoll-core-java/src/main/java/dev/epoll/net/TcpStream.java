package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.SocketAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.channels.NotYetConnectedException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection; see <a href="https://man7.org/linux/man-pages/man7/tcp.7.html">tcp(7)</a>.
 *
 * <pre>
 *   startConnect ---&gt; CONNECTING --- finishConnect is true ---&gt; CONNECTED &lt;--- accepted, adopted
 *                         `--- finishConnect throws ---&gt; closed
 * </pre>
 *
 * <p>Thread: every method from any. Reads and writes are independent of each other. Who writes from
 * several threads must see to the order.
 */
public final class TcpStream extends StreamSocket<InetSocketAddress> {
  /**
   * Whether urgent bytes are read in their place among the others, and not by {@link
   * #tryReadUrgent()} (socket(7)).
   */
  public static final SocketOption<Boolean> SO_OOBINLINE =
      new SocketOption<>() {
        @Override
        public String name() {
          return "SO_OOBINLINE";
        }

        @Override
        public Class<Boolean> type() {
          return Boolean.class;
        }

        @Override
        public String toString() {
          return name();
        }
      };

  /** What {@link #tryReadUrgent()} returns when there is no urgent byte. */
  public static final int NO_URGENT_BYTE = -1;

  /** Whom {@link #startConnect} connects to; null once CONNECTED. */
  private volatile @Nullable InetSocketAddress connectingTo;

  /** Whether somebody has tried to read an urgent byte. */
  private volatile boolean readsUrgent;

  private TcpStream(Poller poller, OwnedFd fd, @Nullable InetSocketAddress connectingTo)
      throws IOException {
    super(poller, fd, SocketTraits.TCP);
    this.connectingTo = connectingTo;
  }

  // Kernel: a read stops in front of an urgent byte, even of one that was taken, of which no edge
  // tells any more; and in front of the end of the stream.
  @Override
  protected boolean shortReadDrains() {
    return !readsUrgent && !registration().hadExceptionalEdge();
  }

  static TcpStream connected(Poller poller, OwnedFd fd) throws IOException {
    return new TcpStream(poller, fd, null);
  }

  /**
   * Takes over a connection that somebody else made, such as the one that inetd(8) passes as fd 0:
   * makes it non-blocking and close-on-exec, and closes it when closed.
   *
   * @throws IllegalArgumentException if {@code fd} is anything else; it is left as it was
   * @throws SyscallException EBADF if it is not open; or as {@link Poller#register}, and it is
   *     closed
   */
  public static TcpStream adopt(Poller poller, int fd) throws IOException {
    return connected(poller, SocketKind.TCP_STREAM.adopt(fd));
  }

  /** A new TCP socket for {@code address}, with options, and prepared. */
  static OwnedFd open(
      InetSocketAddress address, TcpOptions options, SocketCalls.Preparation preparation)
      throws IOException {
    int family = SocketAddresses.family(AddressFormat.resolved(address).getAddress());
    return SocketCalls.open(
        family,
        Linux.SOCK_STREAM,
        fd -> {
          for (var option : options.values().entrySet()) {
            var codec = SocketOptionCodec.of(option.getKey(), SocketOptionCodec.Kind.TCP);
            check("setsockopt", SocketCalls.setOption(fd, codec, option.getValue(), false), fd);
          }
          preparation.on(fd);
        });
  }

  /**
   * Begins to connect to {@code remote}, and does not wait. Await {@link Interest#WRITABLE}, then
   * call {@link #finishConnect()}, until that returns true.
   *
   * @throws java.net.ConnectException if the connection is refused at once
   * @throws java.nio.channels.UnresolvedAddressException if {@code remote} has no address
   */
  public static TcpStream startConnect(Poller poller, InetSocketAddress remote, TcpOptions options)
      throws IOException {
    OwnedFd fd =
        open(
            remote,
            options,
            number -> {
              int result =
                  SocketCalls.withAddress(AddressFormat.INET, remote, number, SYSCALLS::connect);
              if (result < 0 && !SocketCalls.isUnderWay(result)) {
                throw SocketExceptions.ofConnect(-result, number, remote);
              }
            });
    return new TcpStream(poller, fd, remote);
  }

  /**
   * Whether the connection stands. If it could not be made, this stream is closed.
   *
   * @return false if it is still under way
   * @throws java.net.ConnectException if it was refused, or timed out
   * @throws java.net.NoRouteToHostException if the host cannot be reached
   * @throws java.nio.channels.ClosedChannelException if this stream is closed
   */
  public boolean finishConnect() throws IOException {
    checkOpen();
    InetSocketAddress remote = connectingTo;
    if (remote == null) {
      return true;
    }
    int edges = registration().edges();
    int error = takeError();
    if (error != 0) {
      close();
      throw SocketExceptions.ofConnect(error, fd(), remote);
    }
    try {
      name("getpeername", SYSCALLS::getpeername);
    } catch (SyscallException e) {
      if (e.errno() == Errno.ENOTCONN.number) {
        // Kernel: there is room once the connection stands, or has failed (connect(2),
        // EINPROGRESS).
        foundNoRoom(edges);
        return false;
      }
      throw e;
    }
    connectingTo = null;
    return true;
  }

  /**
   * Connects to {@code remote}, and waits for it. A virtual thread that waits leaves its carrier to
   * others.
   *
   * @throws IOException as {@link #startConnect} and {@link #finishConnect()}
   * @throws java.io.InterruptedIOException if the thread is interrupted, with its status set
   */
  public static TcpStream connect(Poller poller, InetSocketAddress remote) throws IOException {
    return connect(poller, remote, TcpOptions.none(), null);
  }

  /**
   * Connects to {@code remote}, and waits for it, {@code timeout} at the most.
   *
   * @throws SocketTimeoutException if the time is over
   * @throws IOException as {@link #startConnect} and {@link #finishConnect()}
   * @throws java.io.InterruptedIOException if the thread is interrupted, with its status set
   */
  public static TcpStream connect(
      Poller poller, InetSocketAddress remote, TcpOptions options, @Nullable Duration timeout)
      throws IOException {
    if (timeout != null && timeout.isNegative()) {
      throw new IllegalArgumentException(
          "timeout is " + timeout + ": give zero or more, or null to wait for ever");
    }
    long start = System.nanoTime();
    TcpStream stream = startConnect(poller, remote, options);
    try {
      while (!stream.finishConnect()) {
        if (timeout == null) {
          block(stream.registration(), Interest.WRITABLE, null);
          continue;
        }
        Duration left = timeout.minusNanos(System.nanoTime() - start);
        Readiness readiness =
            left.isNegative()
                ? Readiness.NONE
                : block(stream.registration(), Interest.WRITABLE, left);
        if (readiness.isNone()) {
          throw new SocketTimeoutException("no connection to " + remote + " within " + timeout);
        }
      }
      return stream;
    } catch (Throwable e) {
      stream.close();
      throw e;
    }
  }

  /**
   * Connects to the first of {@code remotes} that takes the connection, such as the addresses of
   * one host, tried in turn; waits for each {@code timeout} at the most.
   *
   * @throws IllegalArgumentException if {@code remotes} is empty
   * @throws IOException why the last one failed; why the others did is suppressed in it
   * @throws java.io.InterruptedIOException if the thread is interrupted, with its status set
   */
  public static TcpStream connect(
      Poller poller,
      List<InetSocketAddress> remotes,
      TcpOptions options,
      @Nullable Duration timeout)
      throws IOException {
    ConnectAttempts attempts = new ConnectAttempts(remotes);
    while (true) {
      InetSocketAddress remote = attempts.next();
      try {
        return connect(poller, remote, options, timeout);
      } catch (IOException e) {
        attempts.failed(e);
      }
    }
  }

  @Override
  void checkConnected() throws IOException {
    if (connectingTo != null) {
      checkOpen();
      throw new NotYetConnectedException();
    }
  }

  @Override
  public InetSocketAddress remoteAddress() throws IOException {
    InetSocketAddress remote = connectingTo;
    return remote != null ? remote : super.remoteAddress();
  }

  /**
   * Sends one urgent byte, which the peer is told of at once ({@link Interest#PRIORITY}) and can
   * read past what was sent before. Kernel: a second one takes the place of a first that was not
   * read (tcp(7)).
   *
   * @return false if the connection takes nothing now
   */
  public boolean tryWriteUrgent(byte value) throws IOException {
    checkConnected();
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().put(0, value);
      int flags = Linux.MSG_OOB | Linux.MSG_NOSIGNAL;
      long sent = callForRoom("send(MSG_OOB)", fd -> SYSCALLS.send(fd, address, 1, flags));
      return sent != WOULD_BLOCK;
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * Reads the urgent byte, if the peer sent one and it was not read yet. Await it by {@link
   * Interest#PRIORITY}.
   *
   * @return 0 to 255, or {@link #NO_URGENT_BYTE}
   */
  public int tryReadUrgent() throws IOException {
    checkConnected();
    // Ordering: before the call, so that who finds the byte gone sees this.
    readsUrgent = true;
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      // Kernel: EINVAL if there is none or it was read, EAGAIN if it is announced and still on its
      // way (tcp(7)).
      long result =
          call(
              "recv(MSG_OOB)",
              fd -> {
                long received = SYSCALLS.recv(fd, address, 1, Linux.MSG_OOB);
                return Errno.EINVAL.is(received) ? WOULD_BLOCK : received;
              });
      return result == 1 ? memory.buffer().get(0) & 0xff : NO_URGENT_BYTE;
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }
}
