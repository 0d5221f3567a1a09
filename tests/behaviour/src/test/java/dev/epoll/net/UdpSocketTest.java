package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.ClosedRegistrationException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.PortUnreachableException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class UdpSocketTest {
  private static final Duration A_WHILE = Duration.ofMillis(50);
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private final List<UdpSocket> sockets = new ArrayList<>();
  private Poller poller;
  private UdpSocket a;
  private UdpSocket b;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    a = bound();
    b = bound();
  }

  @AfterEach
  void close() {
    sockets.forEach(UdpSocket::close);
    poller.close();
  }

  private UdpSocket bound() throws Exception {
    UdpSocket socket = UdpSocket.bind(poller, TcpPair.anyPort());
    sockets.add(socket);
    return socket;
  }

  /** Any port of the wildcard address that has so many bytes. */
  private static InetSocketAddress any(int bytes) throws Exception {
    return new InetSocketAddress(InetAddress.getByAddress(new byte[bytes]), 0);
  }

  private static ByteBuffer message(int size, boolean direct) {
    ByteBuffer message = direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
    for (int i = 0; i < size; i++) {
      message.put(i, (byte) (i * 7 + size));
    }
    return message;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, 65_000, UdpSocket.MAX_BYTES})
  void messagesOfEverySizeArriveWhole(int size) throws Exception {
    for (boolean direct : new boolean[] {true, false}) {
      ByteBuffer source = message(size, direct);
      assertTrue(a.trySend(source, b.localAddress()));
      assertEquals(size, source.position());
      ByteBuffer target = direct ? ByteBuffer.allocateDirect(70_000) : ByteBuffer.allocate(70_000);
      assertEquals(a.localAddress(), b.blocking().receive(target));
      assertEquals(message(size, false), target.flip());
      assertNull(b.tryReceive(target));
    }
  }

  @Test
  void aMessageThatIsTooLongIsAnErrorAndOneThatHasNoRoomIsCutOff() throws Exception {
    SyscallException e =
        assertThrows(
            SyscallException.class,
            () -> a.trySend(message(UdpSocket.MAX_BYTES + 1, true), b.localAddress()));
    assertEquals("EMSGSIZE", e.errnoName());
    a.trySend(message(100, false), b.localAddress());
    ByteBuffer small = ByteBuffer.allocate(10);
    assertEquals(a.localAddress(), b.blocking().receive(small));
    assertEquals(message(100, false).limit(10), small.flip());
    a.trySend(message(100, false), b.localAddress());
    assertEquals(a.localAddress(), b.blocking().receive(ByteBuffer.allocate(0)));
    assertNull(b.tryReceive(ByteBuffer.allocate(10)));
  }

  @Test
  @Conformance(388)
  void aSocketThatConnectsElsewhereHearsOnlyItsNewPeer() throws Exception {
    UdpSocket c = bound();
    ByteBuffer target = ByteBuffer.allocate(10);
    assertSame(c, c.connect(a.localAddress()));
    assertTrue(c.trySend(message(1, true)));
    assertEquals(c.localAddress(), a.blocking().receive(target.clear()));
    c.connect(b.localAddress());
    assertTrue(c.trySend(message(2, true)));
    assertEquals(c.localAddress(), b.blocking().receive(target.clear()));
    assertNull(a.tryReceive(target));
    a.trySend(message(3, true), c.localAddress());
    b.trySend(message(4, true), c.localAddress());
    assertEquals(b.localAddress(), c.blocking().receive(target.clear()));
    assertEquals(4, target.position());
    assertNull(c.tryReceive(target));
    c.disconnect();
    a.trySend(message(5, true), c.localAddress());
    assertEquals(a.localAddress(), c.blocking().receive(target.clear()));
    assertThrows(NotYetConnectedException.class, () -> c.trySend(message(1, true)));
  }

  @Test
  void aPortThatNobodyHasIsPortUnreachable() throws Exception {
    InetSocketAddress nobody = b.localAddress();
    b.close();
    try (UdpSocket client = UdpSocket.connect(poller, nobody)) {
      assertTrue(client.trySend(message(1, false)));
      assertTrue(client.registration().blockUntil(Interest.READABLE).isError());
      PortUnreachableException e =
          assertThrows(
              PortUnreachableException.class, () -> client.tryReceive(ByteBuffer.allocate(1)));
      assertInstanceOf(SyscallException.class, e.getCause());
      assertNull(client.tryReceive(ByteBuffer.allocate(1)));
      Running<InetSocketAddress> receiver =
          Running.of(() -> client.blocking().receive(ByteBuffer.allocate(1)))
              .waitingOn(client.registration());
      client.trySend(message(1, false));
      assertInstanceOf(PortUnreachableException.class, receiver.failure());
    }
  }

  @Test
  @Conformance(389)
  void manyOneShotSendersKeepFlowing() throws Exception {
    int senders = 500;
    List<UdpSocket> all = new ArrayList<>();
    for (int i = 0; i < senders; i++) {
      all.add(bound());
    }
    InetSocketAddress target = b.localAddress();
    Running<Integer> receiver =
        Running.of(
            () -> {
              ByteBuffer buffer = ByteBuffer.allocate(16);
              java.util.Set<InetSocketAddress> seen = new java.util.HashSet<>();
              while (seen.size() < senders) {
                seen.add(b.blocking().receive(buffer.clear()));
              }
              return seen.size();
            });
    while (!receiver.isDone()) {
      for (UdpSocket sender : all) {
        assertTrue(sender.registration().blockUntil(Interest.WRITABLE).isWritable());
        sender.trySend(ByteBuffer.allocate(8), target);
      }
    }
    assertEquals(senders, receiver.result());
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void closeFailsTheReceiverThatWaits(ThreadKind kind) throws Exception {
    Running<InetSocketAddress> receiver =
        Running.on(kind, () -> a.blocking().receive(ByteBuffer.allocate(1)))
            .waitingOn(a.registration());
    a.close();
    assertInstanceOf(ClosedRegistrationException.class, receiver.failure());
    assertThrows(ClosedChannelException.class, () -> a.tryReceive(ByteBuffer.allocate(1)));
    assertThrows(
        ClosedChannelException.class, () -> a.trySend(ByteBuffer.allocate(1), b.localAddress()));
  }

  @Test
  void anInterruptedReceiverKeepsItsSocket() throws Exception {
    Running<InetSocketAddress> receiver =
        Running.of(() -> a.blocking().receive(ByteBuffer.allocate(1))).waitingOn(a.registration());
    receiver.interrupt();
    assertInstanceOf(java.io.InterruptedIOException.class, receiver.failure());
    assertTrue(receiver.interruptedAtEnd());
    assertTrue(a.isOpen());
  }

  @Test
  void talksToTheJdkOverIpv4AndIpv6() throws Exception {
    try (DatagramSocket jdk = new DatagramSocket(0, LOOPBACK);
        UdpSocket both = UdpSocket.open(poller, StandardProtocolFamily.INET6)) {
      both.bind(any(16));
      InetSocketAddress ofJdk = (InetSocketAddress) jdk.getLocalSocketAddress();
      assertTrue(both.trySend(message(9, true), ofJdk));
      DatagramPacket packet = new DatagramPacket(new byte[20], 20);
      jdk.receive(packet);
      assertEquals(9, packet.getLength());
      packet.setLength(4);
      jdk.send(packet);
      assertEquals(ofJdk, both.blocking().receive(ByteBuffer.allocate(10)));
    }
  }

  @Test
  void aSocketOfIpv6IsBoundToAnAddressOfIpv4() throws Exception {
    try (UdpSocket both = UdpSocket.open(poller, StandardProtocolFamily.INET6)) {
      both.bind(TcpPair.anyPort());
      assertEquals(TcpPair.anyPort().getAddress(), both.localAddress().getAddress());
      InetSocketAddress before = both.localAddress();
      both.connect(before);
      assertEquals(before, both.disconnect().localAddress());
    }
    try (UdpSocket both = UdpSocket.open(poller, StandardProtocolFamily.INET6)) {
      both.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[4]), 0));
      assertTrue(both.localAddress().getAddress().isAnyLocalAddress());
    }
  }

  @Test
  void aMulticastGroupIsJoinedAndLeft() throws Exception {
    NetworkInterface loopback = NetworkInterface.getByInetAddress(LOOPBACK);
    assumeTrue(loopback != null, "no loopback interface");
    InetAddress group = InetAddress.getByAddress(new byte[] {(byte) 239, (byte) 255, 7, 7});
    try (UdpSocket receiver = UdpSocket.open(poller, StandardProtocolFamily.INET)) {
      receiver.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      receiver.bind(any(4));
      InetSocketAddress target = new InetSocketAddress(group, receiver.localAddress().getPort());
      a.setOption(StandardSocketOptions.IP_MULTICAST_IF, loopback);
      a.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, true);
      receiver.join(group, loopback);
      assertTrue(a.trySend(message(3, false), target));
      assertEquals(a.localAddress(), receiver.blocking().receive(ByteBuffer.allocate(5)));
      SyscallException twice =
          assertThrows(SyscallException.class, () -> receiver.join(group, loopback));
      assertEquals("EADDRINUSE", twice.errnoName());
      receiver.leave(group, loopback);
      assertTrue(a.trySend(message(3, false), target));
      assertTrue(receiver.registration().blockUntil(Interest.READABLE, A_WHILE).isNone());
      assertThrows(SyscallException.class, () -> receiver.leave(group, loopback));
      assertThrows(SyscallException.class, () -> receiver.join(LOOPBACK, loopback));
    }
  }

  @Test
  void optionsAreThoseOfUdp() throws Exception {
    a.setOption(StandardSocketOptions.SO_BROADCAST, true);
    assertTrue(a.getOption(StandardSocketOptions.SO_BROADCAST));
    a.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 7);
    assertEquals(7, a.getOption(StandardSocketOptions.IP_MULTICAST_TTL));
    a.setOption(StandardSocketOptions.IP_TOS, 0x10);
    assertEquals(0x10, a.getOption(StandardSocketOptions.IP_TOS));
    assertFalse(a.getOption(StandardSocketOptions.SO_REUSEPORT));
    assertThrows(
        UnsupportedOperationException.class, () -> a.getOption(StandardSocketOptions.TCP_NODELAY));
    assertThrows(
        UnsupportedOperationException.class,
        () -> a.getOption(StandardSocketOptions.IP_MULTICAST_IF));
    try (UdpSocket inet6 = UdpSocket.open(poller, StandardProtocolFamily.INET6)) {
      inet6.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 9);
      assertEquals(9, inet6.getOption(StandardSocketOptions.IP_MULTICAST_TTL));
      inet6.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, false);
      assertFalse(inet6.getOption(StandardSocketOptions.IP_MULTICAST_LOOP));
    }
  }

  @Test
  void badInputIsRefusedAndLeavesNothing() throws Exception {
    var before = KernelFds.openNow();
    InetSocketAddress unresolved = InetSocketAddress.createUnresolved("no.such.host", 7);
    InetSocketAddress taken = a.localAddress();
    assertThrows(UnresolvedAddressException.class, () -> UdpSocket.bind(poller, unresolved));
    assertThrows(UnresolvedAddressException.class, () -> UdpSocket.connect(poller, unresolved));
    assertThrows(
        UnresolvedAddressException.class, () -> a.trySend(ByteBuffer.allocate(1), unresolved));
    assertThrows(
        IllegalArgumentException.class,
        () -> a.tryReceive(ByteBuffer.allocate(1).asReadOnlyBuffer()));
    BindException e = assertThrows(BindException.class, () -> UdpSocket.bind(poller, taken));
    assertTrue(e.getMessage().contains(taken.toString()), e::getMessage);
    assertThrows(BindException.class, () -> a.bind(taken));
    assertThrows(
        UnsupportedOperationException.class,
        () -> UdpSocket.open(poller, StandardProtocolFamily.UNIX));
    KernelFds.assertNoneSince(before);
  }
}
