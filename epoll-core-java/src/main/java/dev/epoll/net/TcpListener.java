package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;

/**
 * A TCP socket that accepts connections; see <a
 * href="https://man7.org/linux/man-pages/man7/tcp.7.html">tcp(7)</a>.
 *
 * <p>Thread: every method from any.
 */
public final class TcpListener extends ListenerSocket<InetSocketAddress, TcpStream> {
  private TcpListener(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd, SocketTraits.TCP);
  }

  @Override
  TcpStream accepted(Poller poller, OwnedFd fd) throws IOException {
    return TcpStream.connected(poller, fd);
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
    checkBacklog(backlog);
    TcpOptions all =
        options.values().containsKey(StandardSocketOptions.SO_REUSEADDR)
            ? options
            : options.with(StandardSocketOptions.SO_REUSEADDR, true);
    OwnedFd fd =
        TcpStream.open(
            local,
            all,
            number -> {
              if (local.getAddress() instanceof Inet6Address) {
                SocketCalls.acceptIpv4Too(number);
              }
              SocketCalls.bind(AddressFormat.INET, local, number);
              SocketCalls.listen(local, backlog, number);
            });
    return new TcpListener(poller, fd);
  }

  /**
   * Takes over a listener that somebody else made, such as one of {@link InheritedSockets}: makes
   * it non-blocking and close-on-exec, and closes it when closed.
   *
   * @throws IllegalArgumentException if {@code fd} is anything else; it is left as it was
   * @throws SyscallException EBADF if it is not open; or as {@link Poller#register}, and it is
   *     closed
   */
  public static TcpListener adopt(Poller poller, int fd) throws IOException {
    return new TcpListener(poller, SocketKind.TCP_LISTENER.adopt(fd));
  }
}
