package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Waiter;
import dev.epoll.fd.ByteStream;
import dev.epoll.fd.OwnedFd;
import dev.epoll.fd.RegularFile;
import dev.epoll.sys.Errno;
import dev.epoll.sys.GatherMessage;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A connection of bytes, in order, both ways.
 *
 * <p>Thread: every method from any. Reads and writes are independent of each other. Who writes from
 * several threads must see to the order.
 *
 * @param <A> the type of its addresses
 */
public abstract sealed class StreamSocket<A extends SocketAddress> extends SocketFd<A>
    implements ByteStream permits TcpStream, UnixStream {
  private volatile boolean inputShutDown;

  StreamSocket(Poller poller, OwnedFd fd, SocketTraits<A> traits) throws IOException {
    super(poller, fd, traits);
  }

  /**
   * Does nothing, unless the connection does not stand yet.
   *
   * @throws java.nio.channels.NotYetConnectedException if it does not
   */
  abstract void checkConnected() throws IOException;

  @Override
  public final int tryRead(ByteBuffer target) throws IOException {
    checkConnected();
    if (isInputShutDown()) {
      return target.hasRemaining() ? -1 : 0;
    }
    return readInto(target, "recv", StreamSocket::recv);
  }

  /** Whether reads are at their end. Kernel: after SHUT_RD bytes that are there can be read. */
  final boolean isInputShutDown() throws IOException {
    if (!inputShutDown) {
      return false;
    }
    checkOpen();
    return true;
  }

  @Override
  public final boolean isDrained() {
    return drained();
  }

  // The fd is ours, and what its calls return is known here: so awaits can rest on edges.
  @Override
  public final boolean armRead(Waiter waiter) throws IOException {
    return registration().armAfter(drainedAt(), Interest.READABLE, waiter);
  }

  @Override
  public final boolean armWrite(Waiter waiter) throws IOException {
    return registration().armAfter(fullAt(), Interest.WRITABLE, waiter);
  }

  // Kernel: MSG_NOSIGNAL, because a plain write to a connection that is gone raises SIGPIPE
  // (send(2)).
  @Override
  public final int tryWrite(ByteBuffer source) throws IOException {
    checkConnected();
    return writeFrom(source, source.remaining(), "send", StreamSocket::send);
  }

  private static long recv(int fd, long address, long count) {
    return SYSCALLS.recv(fd, address, count, 0);
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
  public final long tryWrite(ByteBuffer[] sources) throws IOException {
    return tryWrite(sources, 0, sources.length);
  }

  /**
   * The same for {@code length} buffers from {@code sources[offset]} on.
   *
   * @throws IndexOutOfBoundsException if there are not so many
   * @throws IOException as {@link #tryWrite(ByteBuffer)}
   */
  public final long tryWrite(ByteBuffer[] sources, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, sources.length);
    checkConnected();
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      if (GatherMessage.fill(SYSCALLS, memory, sources, offset, length) == 0) {
        checkOpen();
        return 0;
      }
      long written =
          callForRoom("sendmsg", fd -> SYSCALLS.sendmsg(fd, address, Linux.MSG_NOSIGNAL));
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

  /**
   * Sends what the connection takes of a file, with one system call and without copying the bytes
   * through this process, and never waits for the peer; see <a
   * href="https://man7.org/linux/man-pages/man2/sendfile.2.html">sendfile(2)</a>. It does wait for
   * the disk, where the file is not in memory.
   *
   * @return how many bytes; 0 if the connection takes none now, or {@code count} is 0; -1 if the
   *     file has nothing at {@code position}
   * @throws IllegalArgumentException if {@code position} or {@code count} is negative
   * @throws java.nio.channels.ClosedChannelException if this stream or the file is closed
   * @throws IOException if it failed, as {@link #tryWrite(ByteBuffer)}
   */
  public final long trySendFile(RegularFile file, long position, long count) throws IOException {
    if (position < 0 || count < 0) {
      throw new IllegalArgumentException(
          "position is " + position + ", count " + count + ": give 0 or more");
    }
    checkConnected();
    if (count == 0) {
      checkOpen();
      return 0;
    }
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putLong(0, position);
      // Kernel: an end beyond what a long counts is EINVAL.
      long most = Math.min(count, Long.MAX_VALUE - position);
      long sent = file.lend(in -> callForRoom("sendfile", fd -> sendFile(fd, in, address, most)));
      if (sent == WOULD_BLOCK) {
        return 0;
      }
      return sent == 0 ? -1 : sent;
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  private static long sendFile(int fd, int file, long positionAddress, long count) {
    long sent = SYSCALLS.sendfile(fd, file, positionAddress, count);
    // Kernel: a position that no file of this file system can have.
    return Errno.EOVERFLOW.is(sent) ? 0 : sent;
  }

  /**
   * Says that nothing more will be written: the peer reads the end of the stream. Reading goes on.
   *
   * @return this stream
   */
  public final StreamSocket<A> shutdownOutput() throws IOException {
    call("shutdown", fd -> SYSCALLS.shutdown(fd, Linux.SHUT_WR));
    return this;
  }

  /**
   * Says that nothing more will be read: reads return the end of the stream. Writing goes on. A TCP
   * peer is not told; the writes of a Unix peer fail with EPIPE from then on.
   *
   * @return this stream
   */
  public final StreamSocket<A> shutdownInput() throws IOException {
    call("shutdown", fd -> SYSCALLS.shutdown(fd, Linux.SHUT_RD));
    inputShutDown = true;
    return this;
  }

  /** The peer's address. */
  public A remoteAddress() throws IOException {
    return name("getpeername", SYSCALLS::getpeername);
  }
}
