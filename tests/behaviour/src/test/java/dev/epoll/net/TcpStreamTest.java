package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Readiness;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.PollerKind;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class TcpStreamTest {
  private static final int SOL_SOCKET = 1;
  private static final int SO_OOBINLINE = 10;
  private static final Duration A_WHILE = Duration.ofMillis(50);

  @Parameter private PollerKind kind;
  private TcpPair pair;
  private TcpStream client;
  private TcpStream server;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open(kind);
    client = pair.client();
    server = pair.server();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @Test
  void readsWhatIsThereAndNoMore() throws Exception {
    ByteBuffer target = ByteBuffer.allocate(10);
    assertEquals(0, server.tryRead(target));
    assertTrue(server.isDrained());
    client.tryWrite(ByteBuffer.allocate(15));
    assertEquals(10, server.blocking().read(target));
    assertFalse(server.isDrained());
    assertEquals(5, server.tryRead(target.clear()));
    assertTrue(server.isDrained());
    assertEquals(5, target.position());
  }

  @Test
  void aFullConnectionTakesPartAndThenNothing() throws Exception {
    ByteBuffer source = ByteBuffer.allocateDirect(32_000_000);
    long total = 0;
    int count;
    while ((count = client.tryWrite(source)) > 0) {
      total += count;
      assertEquals(total, source.position());
    }
    assertTrue(source.hasRemaining());
    assertEquals(0, client.tryWrite(ByteBuffer.allocate(1)));
    assertTrue(client.registration().blockUntil(Interest.WRITABLE, A_WHILE).isNone());
    long read = 0;
    while (read < total) {
      read += server.blocking().read(ByteBuffer.allocate(100_000));
    }
    assertTrue(client.registration().blockUntil(Interest.WRITABLE).isWritable());
    assertEquals(1, client.tryWrite(ByteBuffer.allocate(1)));
  }

  @Test
  @Conformance({127, 130})
  void afterShutdownOutputThePeerReadsTheEndAndMayGoOnWriting() throws Exception {
    assertSame(client, client.shutdownOutput());
    Readiness readiness = server.registration().blockUntil(Interest.READABLE);
    assertTrue(readiness.isReadClosed());
    assertFalse(readiness.isHangup());
    assertEquals(-1, server.tryRead(ByteBuffer.allocate(1)));
    assertEquals(3, server.tryWrite(ByteBuffer.allocate(3)));
    assertEquals(3, client.blocking().read(ByteBuffer.allocate(9)));
    SyscallException e =
        assertThrows(SyscallException.class, () -> client.tryWrite(ByteBuffer.allocate(1)));
    assertEquals("EPIPE", e.errnoName());
    assertEquals("send", e.call());
  }

  @Test
  @Conformance(128)
  void whenBothHaveShutDownOutputBothAreHungUp() throws Exception {
    client.shutdownOutput();
    server.registration().blockUntil(Interest.READABLE);
    server.shutdownOutput();
    assertTrue(client.registration().blockUntil(Interest.READABLE).isReadClosed());
    assertEquals(-1, client.tryRead(ByteBuffer.allocate(1)));
    Eventually.until(
        "hangup",
        () -> client.registration().blockUntil(Interest.READABLE, Duration.ZERO).isHangup());
  }

  @Test
  @Conformance(131)
  void shutdownInputEndsReadingAndThePeerIsNotTold() throws Exception {
    assertSame(client, client.shutdownInput());
    assertEquals(-1, client.blocking().read(ByteBuffer.allocate(1)));
    assertTrue(server.registration().blockUntil(Interest.READABLE, A_WHILE).isNone());
    assertEquals(2, client.tryWrite(ByteBuffer.allocate(2)));
    assertEquals(2, server.blocking().read(ByteBuffer.allocate(9)));
  }

  @Test
  @Conformance(154)
  void allBytesBeforeTheEndAreReadInSmallPieces() throws Exception {
    client.blocking().write(ByteBuffer.allocate(16_384));
    client.shutdownOutput();
    ByteBuffer target = ByteBuffer.allocate(7);
    int total = 0;
    for (int count; (count = server.blocking().read(target.clear())) >= 0; ) {
      total += count;
    }
    assertEquals(16_384, total);
  }

  @Test
  @Conformance({133, 364, 392})
  void aResetIsAnErrorAndACloseIsTheEnd() throws Exception {
    server.setOption(StandardSocketOptions.SO_LINGER, 0);
    server.close();
    Readiness readiness = client.registration().blockUntil(Interest.READABLE);
    assertTrue(readiness.isError() && readiness.isHangup());
    SyscallException e =
        assertThrows(SyscallException.class, () -> client.tryRead(ByteBuffer.allocate(1)));
    assertEquals("ECONNRESET", e.errnoName());
    assertEquals(client.fd(), e.fd());
    assertEquals(-1, client.tryRead(ByteBuffer.allocate(1)));
    SyscallException pipe =
        assertThrows(SyscallException.class, () -> client.tryWrite(ByteBuffer.allocate(1)));
    assertEquals("EPIPE", pipe.errnoName());
    try (TcpPair other = TcpPair.open(kind)) {
      other.server().close();
      assertEquals(-1, other.client().blocking().read(ByteBuffer.allocate(1)));
    }
  }

  @Test
  @Conformance(134)
  void bytesBeforeAResetAreReadBeforeIt() throws Exception {
    server.tryWrite(ByteBuffer.allocate(10));
    client.tryWrite(ByteBuffer.allocate(10));
    server.registration().blockUntil(Interest.READABLE);
    server.close();
    Eventually.until(
        "the reset is there",
        () -> client.registration().blockUntil(Interest.READABLE, Duration.ZERO).isHangup());
    assertEquals(10, client.tryRead(ByteBuffer.allocate(20)));
    SyscallException e =
        assertThrows(SyscallException.class, () -> client.tryRead(ByteBuffer.allocate(1)));
    assertEquals("ECONNRESET", e.errnoName());
  }

  @Test
  @Conformance({148, 305})
  void anUrgentByteIsPriorityAndNotReadable() throws Exception {
    assertEquals(1, C.send(client.fd(), new byte[] {'!'}, 1, LibC.MSG_OOB));
    Readiness readiness = server.registration().blockUntil(Interest.PRIORITY);
    assertTrue(readiness.isPriority());
    assertFalse(readiness.isReadable());
    assertTrue(server.registration().blockUntil(Interest.READABLE, A_WHILE).isNone());
    byte[] urgent = new byte[1];
    assertEquals(1, C.recv(server.fd(), urgent, 1, LibC.MSG_OOB));
    assertEquals('!', urgent[0]);
    assertEquals(0, server.tryRead(ByteBuffer.allocate(1)));
    assertTrue(server.registration().blockUntil(Interest.PRIORITY, A_WHILE).isNone());
    client.tryWrite(ByteBuffer.allocate(2));
    assertEquals(2, server.blocking().read(ByteBuffer.allocate(9)));
  }

  @Test
  @Conformance({149, 368})
  void anUrgentByteThatIsKeptInLineIsRead() throws Exception {
    assertEquals(0, C.setsockopt(server.fd(), SOL_SOCKET, SO_OOBINLINE, new int[] {1}, 4));
    assertEquals(1, C.send(client.fd(), new byte[] {'!'}, 1, LibC.MSG_OOB));
    ByteBuffer target = ByteBuffer.allocate(9);
    assertEquals(1, server.blocking().read(target));
    assertEquals('!', target.get(0));
    assertTrue(server.registration().blockUntil(Interest.PRIORITY, A_WHILE).isNone());
  }

  @Test
  @Conformance({286, 287, 302})
  void readinessIsThereForEveryAwaitUntilItIsRead() throws Exception {
    assertTrue(client.registration().blockUntil(Interest.WRITABLE).isWritable());
    client.tryWrite(ByteBuffer.allocate(1));
    for (int i = 0; i < 3; i++) {
      assertTrue(server.registration().blockUntil(Interest.READABLE).isReadable());
    }
    server.tryRead(ByteBuffer.allocate(9));
    assertTrue(server.registration().blockUntil(Interest.READABLE, A_WHILE).isNone());
  }

  @Test
  @Conformance(320)
  void theEndIsReadAgainAndAgain() throws Exception {
    client.close();
    for (int i = 0; i < 5; i++) {
      assertTrue(server.registration().blockUntil(Interest.READABLE).isReadable());
      assertEquals(-1, server.tryRead(ByteBuffer.allocate(1)));
    }
  }

  @Test
  void buffersWithNothingInThemMoveNothing() throws Exception {
    ByteBuffer empty = ByteBuffer.allocate(0);
    client.tryWrite(ByteBuffer.allocate(1));
    server.registration().blockUntil(Interest.READABLE);
    assertEquals(0, server.tryRead(empty));
    assertEquals(0, server.tryWrite(empty));
    assertEquals(0, server.tryWrite(new ByteBuffer[] {empty, ByteBuffer.allocateDirect(0)}));
    assertEquals(0, server.tryWrite(new ByteBuffer[0]));
    assertEquals(1, server.tryRead(ByteBuffer.allocate(9)));
  }

  @Test
  void aReadOnlyTargetIsRefusedAndNothingIsLost() throws Exception {
    client.tryWrite(ByteBuffer.allocate(1));
    server.registration().blockUntil(Interest.READABLE);
    for (ByteBuffer target :
        new ByteBuffer[] {ByteBuffer.allocate(1), ByteBuffer.allocateDirect(1)}) {
      assertThrows(IllegalArgumentException.class, () -> server.tryRead(target.asReadOnlyBuffer()));
    }
    assertEquals(1, server.tryRead(ByteBuffer.allocate(9)));
  }

  @Test
  void closedStreamsRefuseEveryCall() throws Exception {
    client.close();
    ByteBuffer one = ByteBuffer.allocate(1);
    assertThrows(ClosedChannelException.class, () -> client.tryRead(one));
    assertThrows(ClosedChannelException.class, () -> client.tryRead(ByteBuffer.allocate(0)));
    assertThrows(ClosedChannelException.class, () -> client.tryWrite(one));
    assertThrows(ClosedChannelException.class, () -> client.tryWrite(new ByteBuffer[] {one}));
    assertThrows(ClosedChannelException.class, () -> client.tryWrite(new ByteBuffer[0]));
    assertThrows(ClosedChannelException.class, client::shutdownInput);
    assertThrows(ClosedChannelException.class, client::shutdownOutput);
    assertThrows(ClosedChannelException.class, client::localAddress);
    assertThrows(ClosedChannelException.class, client::remoteAddress);
    assertThrows(
        ClosedChannelException.class, () -> client.getOption(StandardSocketOptions.SO_LINGER));
    assertThrows(
        ClosedChannelException.class,
        () -> client.setOption(StandardSocketOptions.TCP_NODELAY, true));
    assertEquals(0, one.position());
    assertEquals("TcpStream(fd " + client.fd() + " (closed))", client.toString());
  }

  @Test
  @Conformance(385)
  void nothingIsReadBeforeSomebodyReads() throws Exception {
    client.tryWrite(ByteBuffer.allocate(5));
    long events = pair.poller().stats().events();
    server.registration().blockUntil(Interest.PRIORITY, A_WHILE);
    assertEquals(events, pair.poller().stats().events());
    assertEquals(5, server.blocking().read(ByteBuffer.allocate(9)));
    assertEquals(0, Fds.drain(server.fd()));
  }
}
