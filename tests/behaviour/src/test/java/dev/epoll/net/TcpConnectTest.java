package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.EventMask;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
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

class TcpConnectTest {
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  /** A listener whose queue is full, so that a further connect is not answered. */
  private final class FullListener implements AutoCloseable {
    private final TcpListener listener =
        TcpListener.bind(poller, TcpPair.anyPort(), 0, TcpOptions.none());
    private final TcpStream first = TcpStream.connect(poller, address());

    FullListener() throws Exception {}

    InetSocketAddress address() throws Exception {
      return listener.localAddress();
    }

    TcpStream startConnect() throws Exception {
      return TcpStream.startConnect(poller, address(), TcpOptions.none());
    }

    @Override
    public void close() {
      first.close();
      listener.close();
    }
  }

  private InetSocketAddress portThatRefuses() throws Exception {
    try (TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      return listener.localAddress();
    }
  }

  @Test
  @Conformance(374)
  void aConnectIsFinishedWhenItIsWritable() throws Exception {
    try (TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort());
        TcpStream client =
            TcpStream.startConnect(poller, listener.localAddress(), TcpOptions.none())) {
      assertEquals(listener.localAddress(), client.remoteAddress());
      Readiness readiness = client.registration().blockUntil(Interest.WRITABLE);
      assertEquals(EventMask.OUT, readiness.mask());
      assertTrue(client.finishConnect());
      assertTrue(client.finishConnect());
      assertEquals(3, client.tryWrite(ByteBuffer.allocate(3)));
      try (TcpStream server = TcpPair.accept(listener)) {
        assertEquals(client.localAddress(), server.remoteAddress());
        assertEquals(client.remoteAddress(), server.localAddress());
        assertEquals(3, server.blocking().read(ByteBuffer.allocate(9)));
      }
    }
  }

  @Test
  @Conformance(376)
  void aConnectThatNobodyAnswersIsUnderWay() throws Exception {
    try (FullListener full = new FullListener();
        TcpStream waiting = full.startConnect()) {
      assertFalse(waiting.finishConnect());
      assertTrue(
          waiting.registration().blockUntil(Interest.WRITABLE, Duration.ofMillis(50)).isNone());
      assertFalse(waiting.finishConnect());
      ByteBuffer buffer = ByteBuffer.allocate(1);
      assertThrows(NotYetConnectedException.class, () -> waiting.tryRead(buffer));
      assertThrows(NotYetConnectedException.class, () -> waiting.tryWrite(buffer));
      assertThrows(
          NotYetConnectedException.class, () -> waiting.tryWrite(new ByteBuffer[] {buffer}));
      assertEquals(full.address(), waiting.remoteAddress());
    }
  }

  @Test
  @Conformance(136)
  void aRefusedConnectSaysSoAndClosesTheStream() throws Exception {
    InetSocketAddress nobody = portThatRefuses();
    TcpStream stream = TcpStream.startConnect(poller, nobody, TcpOptions.none());
    stream.registration().blockUntil(Interest.WRITABLE);
    ConnectException e = assertThrows(ConnectException.class, stream::finishConnect);
    assertEquals("Connection refused: " + nobody, e.getMessage());
    SyscallException cause = assertInstanceOf(SyscallException.class, e.getCause());
    assertEquals("ECONNREFUSED", cause.errnoName());
    assertEquals("connect", cause.call());
    assertFalse(stream.isOpen());
    assertThrows(ClosedChannelException.class, stream::finishConnect);
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(374)
  void connectWaitsForTheConnection(ThreadKind kind) throws Exception {
    try (TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      InetSocketAddress address = listener.localAddress();
      try (TcpStream client = Running.on(kind, () -> TcpStream.connect(poller, address)).result()) {
        assertEquals(address, client.remoteAddress());
      }
    }
  }

  @Test
  void aRefusedConnectLeavesNoDescriptor() throws Exception {
    InetSocketAddress nobody = portThatRefuses();
    var before = KernelFds.openNow();
    for (int i = 0; i < 50; i++) {
      assertThrows(ConnectException.class, () -> TcpStream.connect(poller, nobody));
    }
    KernelFds.assertNoneSince(before);
    assertEquals(0, poller.snapshot().registrations().size());
  }

  @Test
  @Conformance(379)
  void aConnectEndsWithItsTimeAndNotBefore() throws Exception {
    try (FullListener full = new FullListener()) {
      var before = KernelFds.openNow();
      InetSocketAddress address = full.address();
      long start = System.nanoTime();
      SocketTimeoutException e =
          assertThrows(
              SocketTimeoutException.class,
              () -> TcpStream.connect(poller, address, TcpOptions.none(), Duration.ofMillis(80)));
      assertTrue(System.nanoTime() - start >= 80_000_000);
      assertEquals("no connection to " + address + " within PT0.08S", e.getMessage());
      KernelFds.assertNoneSince(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({334, 335})
  void interruptEndsAConnectAndClosesItsDescriptor(ThreadKind kind) throws Exception {
    try (FullListener full = new FullListener()) {
      InetSocketAddress address = full.address();
      var before = KernelFds.openNow();
      Running<TcpStream> connect = Running.on(kind, () -> TcpStream.connect(poller, address));
      Eventually.until(
          "the connect waits",
          () -> poller.snapshot().registrations().stream().anyMatch(fd -> fd.waiters() == 1));
      connect.interrupt();
      assertInstanceOf(InterruptedIOException.class, connect.failure());
      assertTrue(connect.interruptedAtEnd());
      KernelFds.assertNoneSince(before);
    }
  }

  @Test
  @Conformance(335)
  void closingEndsAPendingConnect() throws Exception {
    try (FullListener full = new FullListener()) {
      TcpStream stream = full.startConnect();
      Running<?> waiter =
          Running.of(() -> stream.registration().blockUntil(Interest.WRITABLE))
              .waitingOn(stream.registration());
      stream.close();
      assertInstanceOf(ClosedChannelException.class, waiter.failure());
      assertThrows(ClosedChannelException.class, stream::finishConnect);
      assertFalse(stream.isOpen());
    }
  }

  @Test
  @Conformance(343)
  void closingThePollerEndsAPendingConnect() throws Exception {
    try (FullListener full = new FullListener()) {
      Poller other = Poller.open();
      InetSocketAddress address = full.address();
      Running<TcpStream> connect = Running.of(() -> TcpStream.connect(other, address));
      Eventually.until(
          "the connect waits",
          () -> other.snapshot().registrations().stream().anyMatch(fd -> fd.waiters() == 1));
      other.close();
      assertInstanceOf(ClosedPollerException.class, connect.failure());
    }
  }

  @Test
  @Conformance(355)
  void closeRacesWithARefusal() throws Exception {
    InetSocketAddress nobody = portThatRefuses();
    var before = KernelFds.openNow();
    for (int round = 0; round < 200; round++) {
      TcpStream stream = TcpStream.startConnect(poller, nobody, TcpOptions.none());
      Running<Boolean> finisher = Running.of(() -> finish(stream));
      for (int i = 0; i < round * 10; i++) {
        Thread.onSpinWait();
      }
      stream.close();
      Throwable failure = finisher.failure();
      assertTrue(
          failure instanceof ConnectException || failure instanceof ClosedChannelException,
          failure::toString);
    }
    KernelFds.assertNoneSince(before);
  }

  private static boolean finish(TcpStream stream) throws Exception {
    while (!stream.finishConnect()) {
      stream.registration().blockUntil(Interest.WRITABLE);
    }
    return true;
  }

  @Test
  @Conformance(377)
  void connectsThatRaceWithListenSucceedOrAreRefused() throws Exception {
    InetSocketAddress address = portThatRefuses();
    List<Running<Boolean>> connects = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      connects.add(Running.of(() -> isAnswered(address)));
    }
    try (TcpListener listener = TcpListener.bind(poller, address)) {
      assertTrue(isAnswered(listener.localAddress()));
      for (Running<Boolean> connect : connects) {
        connect.result();
      }
    }
  }

  private boolean isAnswered(InetSocketAddress address) throws Exception {
    try (TcpStream stream = TcpStream.connect(poller, address)) {
      return stream.isOpen();
    } catch (ConnectException refused) {
      return false;
    }
  }

  @Test
  void anAddressThatIsNotResolvedIsRefused() throws Exception {
    InetSocketAddress unresolved = InetSocketAddress.createUnresolved("localhost", 1);
    var before = KernelFds.openNow();
    assertThrows(UnresolvedAddressException.class, () -> TcpStream.connect(poller, unresolved));
    assertThrows(
        UnresolvedAddressException.class,
        () -> TcpStream.startConnect(poller, unresolved, TcpOptions.none()));
    assertThrows(UnresolvedAddressException.class, () -> TcpListener.bind(poller, unresolved));
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance(344)
  void aClosedPollerRefusesAndLeaksNothing() throws Exception {
    try (TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      Poller closed = Poller.open();
      closed.close();
      InetSocketAddress address = listener.localAddress();
      var before = KernelFds.openNow();
      assertThrows(ClosedPollerException.class, () -> TcpStream.connect(closed, address));
      assertThrows(ClosedPollerException.class, () -> TcpListener.bind(closed, TcpPair.anyPort()));
      KernelFds.assertNoneSince(before);
    }
  }
}
