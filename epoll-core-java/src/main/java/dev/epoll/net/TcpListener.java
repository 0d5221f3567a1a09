package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket that accepts connections; see <a
 * href="https://man7.org/linux/man-pages/man7/tcp.7.html">tcp(7)</a>.
 *
 * <p>Thread: every method from any.
 */
public final class TcpListener extends TcpSocket {
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

  private TcpListener(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
  }

  /**
   * Listens on {@code local}, with SO_REUSEADDR set, as servers want it, and {@link
   * #DEFAULT_BACKLOG}. Port 0 takes a free one; an IPv6 wildcard address takes IPv4 connections
   * too.
   *
   * @throws java.net.BindException if the address is in use, not this machine's, or not permitted
   * @throws java.nio.channels.UnresolvedAddressException if {@code local} has no address
   */
  public static TcpListener bind(Poller poller, InetSocketAddress local) throws IOException {
    return bind(poller, local, DEFAULT_BACKLOG, TcpOptions.none());
  }

  /**
   * Listens on {@code local} with options, which accepted connections inherit where the kernel lets
   * them.
   *
   * @throws java.net.BindException if the address is in use, not this machine's, or not permitted
   * @throws java.nio.channels.UnresolvedAddressException if {@code local} has no address
   */
  public static TcpListener bind(
      Poller poller, InetSocketAddress local, int backlog, TcpOptions options) throws IOException {
    if (backlog < 0) {
      throw new IllegalArgumentException("backlog is " + backlog + ": give 0 or more");
    }
    TcpOptions all =
        options.values().containsKey(StandardSocketOptions.SO_REUSEADDR)
            ? options
            : options.with(StandardSocketOptions.SO_REUSEADDR, true);
    OwnedFd fd =
        open(
            local,
            all,
            number -> {
              acceptIpv4Too(local, number);
              int bound = withAddress(local, number, SYSCALLS::bind);
              if (bound < 0) {
                throw SocketExceptions.ofBind("bind", -bound, number, local);
              }
              int listening = SYSCALLS.listen(number, backlog);
              if (listening < 0) {
                throw SocketExceptions.ofBind("listen", -listening, number, local);
              }
            });
    return new TcpListener(poller, fd);
  }

  /** Kernel: whether it does so by itself depends on the sysctl net.ipv6.bindv6only (ipv6(7)). */
  private static void acceptIpv4Too(InetSocketAddress local, int fd) throws SyscallException {
    if (local.getAddress() instanceof Inet6Address) {
      check("setsockopt(IPV6_V6ONLY)", setInt(fd, Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY, 0), fd);
    }
  }

  /** The poller that accepted connections are registered with. */
  public Poller poller() {
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
  public @Nullable TcpStream tryAccept() throws IOException {
    long accepted = call("accept4", TcpListener::accept);
    return accepted == WOULD_BLOCK
        ? null
        : TcpStream.accepted(poller(), OwnedFd.owned((int) accepted));
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

  /** This listener for threads. */
  public interface Blocking extends AutoCloseable {
    /**
     * Waits for a connection.
     *
     * @throws java.nio.channels.ClosedChannelException if the listener is closed, before or while
     *     waiting
     * @throws InterruptedIOException if the thread is interrupted, with its status set; the
     *     listener stays open
     */
    TcpStream accept() throws IOException;

    /** Closes the listener. */
    @Override
    void close();
  }

  /**
   * This listener for threads: accepting waits. A virtual thread that waits leaves its carrier to
   * others.
   */
  public Blocking blocking() {
    return new Blocking() {
      @Override
      public TcpStream accept() throws IOException {
        while (true) {
          TcpStream stream = tryAccept();
          if (stream != null) {
            return stream;
          }
          block(registration(), Interest.READABLE, null);
        }
      }

      @Override
      public void close() {
        TcpListener.this.close();
      }
    };
  }
}
