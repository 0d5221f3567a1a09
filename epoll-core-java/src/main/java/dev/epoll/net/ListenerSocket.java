package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketAddress;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A socket that accepts connections; see <a
 * href="https://man7.org/linux/man-pages/man2/accept.2.html">accept(2)</a>.
 *
 * <p>Thread: every method from any.
 *
 * @param <A> the type of its addresses
 * @param <S> the type of its connections
 */
public abstract sealed class ListenerSocket<A extends SocketAddress, S extends StreamSocket<A>>
    extends SocketFd<A> permits TcpListener, UnixListener {
  /**
   * How many connections wait to be accepted at the most, unless said otherwise; the kernel lowers
   * it to somaxconn.
   */
  public static final int DEFAULT_BACKLOG = 4096;

  // Kernel: errors of the connection that would have been accepted, not of the listener (accept(2),
  // "Error handling").
  private static final Set<Errno> OF_ONE_CONNECTION =
      EnumSet.of(
          Errno.ECONNABORTED,
          Errno.EPROTO,
          Errno.ENETDOWN,
          Errno.ENOPROTOOPT,
          Errno.ENONET,
          Errno.EHOSTDOWN,
          Errno.EHOSTUNREACH,
          Errno.ENETUNREACH);

  ListenerSocket(Poller poller, OwnedFd fd, SocketTraits<A> traits) throws IOException {
    super(poller, fd, traits);
  }

  /** The stream of a connection that was accepted; closes {@code fd} if that fails. */
  abstract S accepted(Poller poller, OwnedFd fd) throws IOException;

  static void checkBacklog(int backlog) {
    if (backlog < 0) {
      throw new IllegalArgumentException("backlog is " + backlog + ": give 0 or more");
    }
  }

  /** The poller that accepted connections are registered with, unless said otherwise. */
  public final Poller poller() {
    return registration().poller();
  }

  /**
   * Accepts a connection, if one is waiting, and registers it with the same poller.
   *
   * @return the connection, or null if none is waiting
   * @throws java.nio.channels.ClosedChannelException if this listener is closed
   * @throws SyscallException EMFILE or ENFILE: no descriptor is free, and the connection goes on
   *     waiting; or as {@link Poller#register}, and it is closed
   */
  public final @Nullable S tryAccept() throws IOException {
    return tryAccept(poller());
  }

  /**
   * The same, but registers it with {@code poller}, where it stays; see {@link
   * dev.epoll.PollerGroup#next()}.
   *
   * @throws dev.epoll.ClosedPollerException if that poller is closed; the connection is closed
   * @throws IOException as {@link #tryAccept()}
   */
  public final @Nullable S tryAccept(Poller poller) throws IOException {
    long accepted = call("accept4", ListenerSocket::accept);
    return accepted == WOULD_BLOCK ? null : accepted(poller, OwnedFd.owned((int) accepted));
  }

  private static long accept(int fd) {
    int result;
    do {
      result = SYSCALLS.accept4(fd, 0, 0, Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC);
    } while (isOfOneConnection(result));
    return result;
  }

  private static boolean isOfOneConnection(int result) {
    return result < 0
        && !Errno.EAGAIN.is(result)
        && OF_ONE_CONNECTION.stream().anyMatch(errno -> errno.is(result));
  }

  /**
   * A listener for threads.
   *
   * @param <S> the type of its connections
   */
  public interface Blocking<S> extends AutoCloseable {
    /**
     * Waits for a connection.
     *
     * @throws java.nio.channels.ClosedChannelException if the listener is closed, before or while
     *     waiting
     * @throws InterruptedIOException if the thread is interrupted, with its status set; the
     *     listener stays open
     */
    S accept() throws IOException;

    /** Closes the listener. */
    @Override
    void close();
  }

  /**
   * This listener for threads: accepting waits. A virtual thread that waits leaves its carrier to
   * others.
   */
  public final Blocking<S> blocking() {
    return new Blocking<>() {
      @Override
      public S accept() throws IOException {
        return blockUntilDone(Interest.READABLE, ListenerSocket.this::tryAccept);
      }

      @Override
      public void close() {
        ListenerSocket.this.close();
      }
    };
  }
}
