package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.SocketMessage;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A connection within this machine, which can also pass file descriptors; see <a
 * href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>.
 *
 * <p>Thread: every method from any. Reads and writes are independent of each other. Who writes from
 * several threads must see to the order.
 */
public final class UnixStream extends StreamSocket<UnixAddress> {
  UnixStream(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd, SocketTraits.UNIX);
  }

  // Kernel: a read stops behind bytes that came with descriptors.
  @Override
  protected boolean shortReadDrains() {
    return false;
  }

  /**
   * Connects to {@code remote}. Kernel: a Unix connect is done at once, or fails; there is nothing
   * to wait for.
   *
   * @throws java.net.ConnectException if nobody listens there, or this process may not connect, or
   *     the listener's backlog is full: try again later
   */
  public static UnixStream connect(Poller poller, UnixAddress remote) throws IOException {
    OwnedFd fd =
        SocketCalls.open(
            Linux.AF_UNIX,
            Linux.SOCK_STREAM,
            number -> {
              int result;
              do {
                result =
                    SocketCalls.withAddress(AddressFormat.UNIX, remote, number, SYSCALLS::connect);
              } while (Errno.EINTR.is(result));
              if (result < 0) {
                throw SocketExceptions.ofConnect(-result, number, remote);
              }
            });
    return new UnixStream(poller, fd);
  }

  /** Two streams that are connected to each other. */
  public record Pair(UnixStream first, UnixStream second) implements AutoCloseable {
    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  /**
   * Two new streams that are connected to each other (socketpair(2)).
   *
   * @throws SyscallException EMFILE or ENFILE: it needs two descriptors
   */
  public static Pair pair(Poller poller) throws IOException {
    NativeMemory fds = ScratchMemory.take(SYSCALLS);
    int first;
    int second;
    try {
      int type = Linux.SOCK_STREAM | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC;
      int result = SYSCALLS.socketpair(Linux.AF_UNIX, type, 0, fds.address());
      check("socketpair", result, -1);
      first = fds.buffer().getInt(0);
      second = fds.buffer().getInt(Integer.BYTES);
    } finally {
      ScratchMemory.giveBack(fds);
    }
    OwnedFd ownedSecond = OwnedFd.owned(second);
    UnixStream a;
    try {
      a = new UnixStream(poller, OwnedFd.owned(first));
    } catch (Throwable e) {
      ownedSecond.close();
      throw e;
    }
    try {
      return new Pair(a, new UnixStream(poller, ownedSecond));
    } catch (Throwable e) {
      a.close();
      throw e;
    }
  }

  /**
   * Takes over a connection that somebody else made: makes it non-blocking and close-on-exec, and
   * closes it when closed.
   *
   * @throws IllegalArgumentException if {@code fd} is anything else; it is left as it was
   * @throws SyscallException EBADF if it is not open; or as {@link Poller#register}, and it is
   *     closed
   */
  public static UnixStream adopt(Poller poller, int fd) throws IOException {
    return new UnixStream(poller, SocketKind.UNIX_STREAM.adopt(fd));
  }

  @Override
  void checkConnected() {}

  /** Who connected, or listened: as the kernel saw it at that time. */
  public PeerCredentials peerCredentials() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      readOption(memory, Linux.SOL_SOCKET, Linux.SO_PEERCRED, 3 * Integer.BYTES);
      ByteBuffer ucred = memory.buffer();
      return new PeerCredentials(
          ucred.getInt(0),
          Integer.toUnsignedLong(ucred.getInt(Integer.BYTES)),
          Integer.toUnsignedLong(ucred.getInt(2 * Integer.BYTES)));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * Writes what the connection takes of {@code source}, at least one byte, and duplicates of {@code
   * fds} with the first byte, with one system call, and never waits. The peer receives them by
   * {@link #tryReadWithFds}; one that reads in another way loses them.
   *
   * @param fds numbers that stay the caller's; at most 253
   * @return how many bytes; 0 if it takes none now, and {@code fds} were not sent then
   * @throws IllegalArgumentException if {@code source} holds no byte, or {@code fds} are too many
   * @throws SyscallException EBADF if one of {@code fds} is not open; ETOOMANYREFS if too many are
   *     on their way
   */
  public int tryWriteWithFds(ByteBuffer source, int... fds) throws IOException {
    if (!source.hasRemaining()) {
      throw new IllegalArgumentException("descriptors need a byte to travel with: give one");
    }
    if (fds.length > SocketMessage.MAX_FDS) {
      throw new IllegalArgumentException(
          fds.length + " descriptors: give at most " + SocketMessage.MAX_FDS + " a message");
    }
    int edges = registration().edges();
    long sent = sendMessage(source, SocketMessage.affordable(source), null, fds);
    if (sent == WOULD_BLOCK) {
      foundNoRoom(edges);
      return 0;
    }
    return (int) sent;
  }

  /**
   * Reads what is there, and the descriptors that came with it, with one system call, and never
   * waits. Kernel: a read ends before bytes that came with other descriptors.
   *
   * @param fds takes the descriptors
   * @return how many bytes; 0 if there are none now; -1 at the end of the stream
   * @throws IllegalArgumentException if {@code target} is read-only or has no room
   */
  public int tryReadWithFds(ByteBuffer target, ReceivedFds fds) throws IOException {
    if (!target.hasRemaining()) {
      throw new IllegalArgumentException("the target has no room: give it room for a byte");
    }
    if (isInputShutDown()) {
      return -1;
    }
    int room = SocketMessage.affordable(target);
    int edges = registration().edges();
    Received<UnixAddress> received = receiveMessage(target, room, fds);
    if (received == null) {
      foundNothing(edges);
      return 0;
    }
    return received.bytes() == 0 ? -1 : received.bytes();
  }
}
