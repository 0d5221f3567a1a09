package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.SocketAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;

/**
 * A UDP socket; see <a href="https://man7.org/linux/man-pages/man7/udp.7.html">udp(7)</a>.
 *
 * <p>Thread: every method from any.
 */
public final class UdpSocket extends DatagramEndpoint<InetSocketAddress> {
  /** How large a message can be, over IPv4. */
  public static final int MAX_BYTES = 65_507;

  private static final int SOCKADDR_SIZE = 16;

  // struct group_req: the interface's index, padding, the group's address (ip(7))
  private static final int GROUP_ADDRESS = 8;
  private static final int GROUP_SIZE = 136;

  private final boolean isIpv6;

  private UdpSocket(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd, SocketTraits.UDP);
    this.isIpv6 = SocketCalls.isIpv6(fd.number());
  }

  @Override
  boolean isUnix() {
    return false;
  }

  @Override
  boolean isIpv6() {
    return isIpv6;
  }

  /**
   * A socket that is not bound, for options to be set first. It is bound by {@link
   * #bind(InetSocketAddress)}, or to a free port when it first sends.
   *
   * @param family INET, or INET6, which speaks IPv4 too
   * @throws UnsupportedOperationException if {@code family} is another one
   * @throws SyscallException EMFILE or ENFILE
   */
  public static UdpSocket open(Poller poller, ProtocolFamily family) throws IOException {
    if (family == StandardProtocolFamily.INET) {
      return open(poller, Linux.AF_INET);
    }
    if (family == StandardProtocolFamily.INET6) {
      return open(poller, Linux.AF_INET6);
    }
    throw new UnsupportedOperationException("UDP is of INET or INET6, not of " + family.name());
  }

  private static UdpSocket open(Poller poller, int family) throws IOException {
    OwnedFd fd =
        SocketCalls.open(
            family,
            Linux.SOCK_DGRAM,
            number -> {
              if (family == Linux.AF_INET6) {
                SocketCalls.acceptIpv4Too(number);
              }
            });
    return new UdpSocket(poller, fd);
  }

  /**
   * A socket that receives what is sent to {@code local}. Port 0 takes a free one; an IPv6 wildcard
   * address takes IPv4 too.
   *
   * @throws java.net.BindException if the address is in use, not this machine's, or not permitted
   * @throws java.nio.channels.UnresolvedAddressException if {@code local} has no address
   */
  public static UdpSocket bind(Poller poller, InetSocketAddress local) throws IOException {
    UdpSocket socket = openFor(poller, local);
    try {
      return socket.bind(local);
    } catch (Throwable e) {
      socket.close();
      throw e;
    }
  }

  /**
   * A socket that sends to {@code remote}, and receives from it only.
   *
   * @throws java.nio.channels.UnresolvedAddressException if {@code remote} has no address
   * @throws java.net.ConnectException if there is no way to {@code remote}, or no port is free
   * @throws java.net.NoRouteToHostException if the host cannot be reached
   */
  public static UdpSocket connect(Poller poller, InetSocketAddress remote) throws IOException {
    UdpSocket socket = openFor(poller, remote);
    try {
      return socket.connect(remote);
    } catch (Throwable e) {
      socket.close();
      throw e;
    }
  }

  private static UdpSocket openFor(Poller poller, InetSocketAddress address) throws IOException {
    return open(poller, SocketAddresses.family(AddressFormat.resolved(address).getAddress()));
  }

  /**
   * Takes over a socket that somebody else made, such as one of {@link InheritedSockets}: makes it
   * non-blocking and close-on-exec, and closes it when closed.
   *
   * @throws IllegalArgumentException if {@code fd} is anything else; it is left as it was
   * @throws SyscallException EBADF if it is not open; or as {@link Poller#register}, and it is
   *     closed
   */
  public static UdpSocket adopt(Poller poller, int fd) throws IOException {
    return new UdpSocket(poller, SocketKind.UDP.adopt(fd));
  }

  /**
   * Receives what is sent to {@code local} from now on.
   *
   * @return this socket
   * @throws java.net.BindException if the address is in use, not this machine's, or not permitted,
   *     or this socket is bound already
   */
  public UdpSocket bind(InetSocketAddress local) throws IOException {
    bindTo(isIpv6 ? SocketAddresses.asIpv6(AddressFormat.resolved(local)) : local);
    return this;
  }

  /**
   * Sends only to {@code remote} from now on, receives only from it, and is told when nobody has
   * its port: then the next call throws {@link java.net.PortUnreachableException}. May be called
   * again, for another one.
   *
   * @return this socket
   * @throws java.net.ConnectException if there is no way to {@code remote}, or no port is free
   * @throws java.net.NoRouteToHostException if the host cannot be reached
   */
  public UdpSocket connect(InetSocketAddress remote) throws IOException {
    connectTo(remote);
    return this;
  }

  /**
   * Sends to, and receives from, anybody again.
   *
   * @return this socket
   * @throws java.net.BindException if its port was chosen by the kernel, and somebody else took it
   *     just now
   */
  public UdpSocket disconnect() throws IOException {
    int port = localAddress().getPort();
    dissolve();
    InetSocketAddress local = localAddress();
    if (port != 0 && local.getPort() == 0) {
      // Kernel: a port that was not asked for by its number goes with the connection.
      bind(new InetSocketAddress(local.getAddress(), port));
    }
    return this;
  }

  private void dissolve() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putLong(0, Linux.AF_UNSPEC).putLong(Long.BYTES, 0);
      call("connect", fd -> SYSCALLS.connect(fd, address, SOCKADDR_SIZE));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * Receives what is sent to the multicast group from now on.
   *
   * @param by the network interface that it comes in by
   * @throws SyscallException EADDRINUSE if this socket has joined already, EINVAL if {@code group}
   *     is no multicast address, or of the other family
   */
  public void join(InetAddress group, NetworkInterface by) throws IOException {
    membership("setsockopt(MCAST_JOIN_GROUP)", Linux.MCAST_JOIN_GROUP, group, by);
  }

  /**
   * Ends {@link #join}.
   *
   * @throws SyscallException EADDRNOTAVAIL if this socket has not joined
   */
  public void leave(InetAddress group, NetworkInterface by) throws IOException {
    membership("setsockopt(MCAST_LEAVE_GROUP)", Linux.MCAST_LEAVE_GROUP, group, by);
  }

  private void membership(String name, int option, InetAddress group, NetworkInterface by)
      throws IOException {
    int level = isIpv6 ? Linux.IPPROTO_IPV6 : Linux.IPPROTO_IP;
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putInt(0, by.getIndex());
      var sockaddr = memory.buffer().slice(GROUP_ADDRESS, GROUP_SIZE - GROUP_ADDRESS);
      SocketAddresses.put(sockaddr.order(memory.buffer().order()), new InetSocketAddress(group, 0));
      call(name, fd -> SYSCALLS.setsockopt(fd, level, option, address, GROUP_SIZE));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * Sends messages from the front of {@code batch}, with one system call (sendmmsg(2)), and never
   * waits. Those that were sent leave the batch.
   *
   * @return how many; 0 if it takes none now, or the batch is empty
   * @throws java.nio.channels.NotYetConnectedException if the first has no target, and this socket
   *     is not connected
   * @throws IOException why the first could not be sent, as {@link #trySend}; it stays in the batch
   */
  public int trySend(UdpBatch batch) throws IOException {
    return exchange("sendmmsg", batch.sending());
  }

  /**
   * Receives as many messages as are there and {@code batch} has room for, with one system call
   * (recvmmsg(2)), and never waits. What {@code batch} held before is gone.
   *
   * @return how many; 0 if there is none
   * @throws IOException as {@link #tryReceive}
   */
  public int tryReceive(UdpBatch batch) throws IOException {
    return exchange("recvmmsg", batch.receiving());
  }

  private int exchange(String name, UdpBatch.Exchange exchange) throws IOException {
    if (exchange.isEmpty()) {
      checkOpen();
      return 0;
    }
    try {
      long result = call(name, exchange::on);
      int count = result == WOULD_BLOCK ? 0 : (int) result;
      exchange.done(count);
      return count;
    } catch (SyscallException e) {
      throw failure(e);
    }
  }
}
