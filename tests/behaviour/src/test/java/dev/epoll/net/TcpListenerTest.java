package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.net.BindException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TcpListenerTest {
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  private TcpListener bind() throws Exception {
    return TcpListener.bind(poller, TcpPair.anyPort());
  }

  @Test
  void acceptsNothingWhereNobodyConnects() throws Exception {
    try (TcpListener listener = bind()) {
      assertNull(listener.tryAccept());
      assertSame(poller, listener.poller());
      assertNotEquals(0, listener.localAddress().getPort());
    }
  }

  @Test
  @Conformance(319)
  void acceptsEveryConnectionOfABurst() throws Exception {
    try (TcpListener listener = bind()) {
      Running<Integer> connects = Running.of(() -> connectAndClose(listener, 256));
      for (int i = 0; i < 256; i++) {
        TcpPair.accept(listener).close();
      }
      connects.result();
      assertNull(listener.tryAccept());
    }
  }

  private int connectAndClose(TcpListener listener, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      TcpStream.connect(poller, listener.localAddress()).close();
    }
    return times;
  }

  @Test
  void listenerAndAcceptedConnectionAreCloseOnExecAndNonBlocking() throws Exception {
    try (TcpPair pair = TcpPair.open()) {
      for (SocketFd<?> socket : List.of(pair.listener(), pair.client(), pair.server())) {
        assertEquals(LibC.FD_CLOEXEC, C.fcntl(socket.fd(), LibC.F_GETFD, 0));
        assertTrue((C.fcntl(socket.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
      }
    }
  }

  @Test
  void acceptedConnectionsUseThePollerOfTheListener() throws Exception {
    try (TcpPair pair = TcpPair.open()) {
      assertSame(pair.poller(), pair.server().registration().poller());
    }
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({349, 365})
  void closeFailsTheWaitingAcceptAsClosed(ThreadKind kind) throws Exception {
    TcpListener listener = bind();
    Running<TcpStream> accept =
        Running.on(kind, () -> listener.blocking().accept()).waitingOn(listener.registration());
    listener.blocking().close();
    assertInstanceOf(ClosedChannelException.class, accept.failure());
    assertThrows(ClosedChannelException.class, listener.blocking()::accept);
    assertThrows(ClosedChannelException.class, listener::tryAccept);
    assertThrows(ClosedChannelException.class, listener::localAddress);
  }

  @Test
  @Conformance(349)
  void closeThatRacesWithTheStartOfAnAcceptFailsItAsClosed() throws Exception {
    for (int round = 0; round < 300; round++) {
      TcpListener listener = bind();
      Running<TcpStream> accept = Running.of(() -> listener.blocking().accept());
      for (int i = 0; i < round * 5; i++) {
        Thread.onSpinWait();
      }
      listener.close();
      assertInstanceOf(ClosedChannelException.class, accept.failure());
    }
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({334, 365})
  void interruptEndsAnAcceptAndTheListenerGoesOn(ThreadKind kind) throws Exception {
    try (TcpListener listener = bind()) {
      Running<TcpStream> accept =
          Running.on(kind, () -> listener.blocking().accept()).waitingOn(listener.registration());
      accept.interrupt();
      assertInstanceOf(InterruptedIOException.class, accept.failure());
      assertTrue(accept.interruptedAtEnd());
      assertTrue(listener.isOpen());
      TcpStream client = TcpStream.connect(poller, listener.localAddress());
      Running.on(kind, () -> listener.blocking().accept()).result().close();
      client.close();
    }
  }

  @Test
  @Conformance(352)
  void thePortIsFreeWhenCloseReturns() throws Exception {
    InetSocketAddress address = TcpPair.anyPort();
    for (int i = 0; i < 10; i++) {
      try (TcpListener listener = TcpListener.bind(poller, address)) {
        address = listener.localAddress();
        TcpStream client = TcpStream.connect(poller, address);
        TcpPair.accept(listener).close();
        client.close();
      }
    }
  }

  @Test
  void aPortInUseIsRefusedWithItsErrnoAndLeavesNothing() throws Exception {
    try (TcpListener first = bind()) {
      var before = KernelFds.openNow();
      InetSocketAddress address = first.localAddress();
      BindException e = assertThrows(BindException.class, () -> TcpListener.bind(poller, address));
      assertEquals("Address already in use: " + address, e.getMessage());
      SyscallException cause = assertInstanceOf(SyscallException.class, e.getCause());
      assertEquals("EADDRINUSE", cause.errnoName());
      assertEquals("bind", cause.call());
      KernelFds.assertNoneSince(before);
    }
  }

  @Test
  void anAddressOfAnotherMachineIsRefused() throws Exception {
    InetSocketAddress elsewhere = new InetSocketAddress("192.0.2.1", 0);
    BindException e = assertThrows(BindException.class, () -> TcpListener.bind(poller, elsewhere));
    assertEquals(
        "EADDRNOTAVAIL", assertInstanceOf(SyscallException.class, e.getCause()).errnoName());
  }

  @Test
  void twoListenersShareAPortWithReuseport() throws Exception {
    TcpOptions shared = TcpOptions.none().with(StandardSocketOptions.SO_REUSEPORT, true);
    try (TcpListener one = TcpListener.bind(poller, TcpPair.anyPort(), 100, shared);
        TcpListener two = TcpListener.bind(poller, one.localAddress(), 100, shared)) {
      assertEquals(one.localAddress(), two.localAddress());
      boolean oneAccepted = false;
      boolean twoAccepted = false;
      for (int i = 0; i < 1000 && !(oneAccepted && twoAccepted); i++) {
        TcpStream client = TcpStream.connect(poller, one.localAddress());
        oneAccepted |= acceptAndClose(one);
        twoAccepted |= acceptAndClose(two);
        client.close();
      }
      assertTrue(oneAccepted && twoAccepted);
    }
  }

  private static boolean acceptAndClose(TcpListener listener) throws Exception {
    TcpStream stream = listener.tryAccept();
    if (stream == null) {
      return false;
    }
    stream.close();
    return true;
  }

  @Test
  void anIpv6ListenerHasIpv6Addresses() throws Exception {
    byte[] one = new byte[16];
    one[15] = 1;
    InetAddress loopback = InetAddress.getByAddress(one);
    try (TcpListener listener = TcpListener.bind(poller, new InetSocketAddress(loopback, 0));
        TcpStream client = TcpStream.connect(poller, listener.localAddress());
        TcpStream server = TcpPair.accept(listener)) {
      assertEquals(loopback, listener.localAddress().getAddress());
      assertEquals(client.localAddress(), server.remoteAddress());
      assertEquals(client.remoteAddress(), server.localAddress());
      assertEquals(loopback, server.remoteAddress().getAddress());
    }
  }

  @Test
  void anIpv6WildcardListenerTakesIpv4ConnectionsUnderTheirIpv4Address() throws Exception {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getByName("::"), 0);
    try (TcpListener listener = TcpListener.bind(poller, any)) {
      int port = listener.localAddress().getPort();
      InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
      try (TcpStream client = TcpStream.connect(poller, new InetSocketAddress(loopback, port));
          TcpStream server = TcpPair.accept(listener)) {
        assertInstanceOf(Inet4Address.class, server.remoteAddress().getAddress());
        assertEquals(client.localAddress(), server.remoteAddress());
        assertEquals(client.remoteAddress(), server.localAddress());
      }
    }
  }

  @Test
  @Conformance(344)
  void closingThePollerFailsTheAccept() throws Exception {
    try (TcpListener listener = bind()) {
      Running<TcpStream> accept =
          Running.of(() -> listener.blocking().accept()).waitingOn(listener.registration());
      poller.close();
      assertInstanceOf(ClosedPollerException.class, accept.failure());
      assertThrows(ClosedPollerException.class, listener.blocking()::accept);
    }
  }

  @Test
  @Conformance(142)
  void aListenerThatIsShutDownWakesItsAccept() throws Exception {
    try (TcpListener listener = bind()) {
      Running<TcpStream> accept =
          Running.of(() -> listener.blocking().accept()).waitingOn(listener.registration());
      assertEquals(0, C.shutdown(listener.fd(), LibC.SHUT_RDWR));
      SyscallException e = assertInstanceOf(SyscallException.class, accept.failure());
      assertEquals("EINVAL", e.errnoName());
      assertEquals("accept4", e.call());
    }
  }
}
