package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.SyscallException;
import dev.epoll.fd.ByteStream;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Errno;
import dev.epoll.sys.GatherMessage;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.NotYetConnectedException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection; see <a href="https://man7.org/linux/man-pages/man7/tcp.7.html">tcp(7)</a>.
 *
 * <pre>
 *   startConnect ---&gt; CONNECTING --- finishConnect is true ---&gt; CONNECTED &lt;--- accepted
 *                         `--- finishConnect throws ---&gt; closed
 * </pre>
 *
 * <p>Thread: every method from any. Reads and writes are independent of each other. Who writes from
 * several threads must see to the order.
 */
public final class TcpStream extends TcpSocket implements ByteStream {
  /** Whom {@link #startConnect} connects to; null once CONNECTED. */
  private volatile @Nullable InetSocketAddress connectingTo;

  private volatile boolean inputShutDown;

  private TcpStream(Poller poller, OwnedFd fd, @Nullable InetSocketAddress connectingTo)
      throws IOException {
    super(poller, fd);
    this.connectingTo = connectingTo;
  }

  static TcpStream accepted(Poller poller, OwnedFd fd) throws IOException {
    return new TcpStream(poller, fd, null);
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
              int result = withAddress(remote, number, SYSCALLS::connect);
              if (result < 0 && !isUnderWay(result)) {
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
    int error = takeError();
    if (error != 0) {
      close();
      throw SocketExceptions.ofConnect(error, fd(), remote);
    }
    try {
      name("getpeername", SYSCALLS::getpeername);
    } catch (SyscallException e) {
      if (e.errno() == Errno.ENOTCONN.number) {
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

  @Override
  public int tryRead(ByteBuffer target) throws IOException {
    checkConnected();
    if (inputShutDown) {
      // Kernel: after SHUT_RD bytes that still arrive can be read.
      checkOpen();
      return target.hasRemaining() ? -1 : 0;
    }
    return readInto(target, "read", SYSCALLS::read);
  }

  @Override
  public boolean isDrained() {
    return drained();
  }

  // Kernel: MSG_NOSIGNAL, because a plain write to a connection that is gone raises SIGPIPE
  // (send(2)).
  @Override
  public int tryWrite(ByteBuffer source) throws IOException {
    checkConnected();
    return writeFrom(source, source.remaining(), "send", TcpStream::send);
  }

  private static long send(int fd, long address, long count) {
    return SYSCALLS.send(fd, address, count, Linux.MSG_NOSIGNAL);
  }

  /**
   * Writes what the connection takes of {@code sources}, in their order, with one system call, and
   * never waits.
   *
   * @return how many bytes; 0 if it takes none now, or the buffers hold none
   * @throws IOException as {@link #tryWrite(ByteBuffer)}
   */
  public long tryWrite(ByteBuffer[] sources) throws IOException {
    return tryWrite(sources, 0, sources.length);
  }

  /**
   * The same for {@code length} buffers from {@code sources[offset]} on.
   *
   * @throws IndexOutOfBoundsException if there are not so many
   * @throws IOException as {@link #tryWrite(ByteBuffer)}
   */
  public long tryWrite(ByteBuffer[] sources, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, sources.length);
    checkConnected();
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      if (GatherMessage.fill(SYSCALLS, memory, sources, offset, length) == 0) {
        checkOpen();
        return 0;
      }
      long written = call("sendmsg", fd -> SYSCALLS.sendmsg(fd, address, Linux.MSG_NOSIGNAL));
      if (written == WOULD_BLOCK) {
        return 0;
      }
      advance(sources, offset, written);
      return written;
    } finally {
      ScratchMemory.giveBack(memory);
      Reference.reachabilityFence(sources);
    }
  }

  private static void advance(ByteBuffer[] sources, int offset, long bytes) {
    long left = bytes;
    for (int i = offset; left > 0 && i < sources.length; i++) {
      int here = (int) Math.min(left, sources[i].remaining());
      sources[i].position(sources[i].position() + here);
      left -= here;
    }
  }

  private void checkConnected() throws IOException {
    if (connectingTo != null) {
      checkOpen();
      throw new NotYetConnectedException();
    }
  }

  /**
   * Says that nothing more will be written: the peer reads the end of the stream. Reading goes on.
   *
   * @return this stream
   */
  public TcpStream shutdownOutput() throws IOException {
    call("shutdown", fd -> SYSCALLS.shutdown(fd, Linux.SHUT_WR));
    return this;
  }

  /**
   * Says that nothing more will be read: reads return the end of the stream. Writing goes on, and
   * the peer is not told.
   *
   * @return this stream
   */
  public TcpStream shutdownInput() throws IOException {
    call("shutdown", fd -> SYSCALLS.shutdown(fd, Linux.SHUT_RD));
    inputShutDown = true;
    return this;
  }

  /** The peer's address. */
  public InetSocketAddress remoteAddress() throws IOException {
    InetSocketAddress remote = connectingTo;
    return remote != null ? remote : name("getpeername", SYSCALLS::getpeername);
  }
}
