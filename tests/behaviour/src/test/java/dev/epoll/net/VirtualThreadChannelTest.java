package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections read, written and accepted by threads, virtual and platform. */
class VirtualThreadChannelTest {
  private TcpPair pair;
  private TcpStream client;
  private TcpStream server;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open();
    client = pair.client();
    server = pair.server();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  private Running<Integer> read(ThreadKind kind) {
    return Running.on(kind, () -> server.blocking().read(ByteBuffer.allocate(10)))
        .waitingOn(server.registration());
  }

  private Running<Integer> writeForEver(ThreadKind kind) {
    return Running.on(kind, this::writeForEver).waitingOn(client.registration());
  }

  private int writeForEver() throws Exception {
    ByteBuffer piece = ByteBuffer.allocateDirect(1_000_000);
    while (true) {
      client.blocking().write(piece.clear());
    }
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(359)
  void allThatAWaitingWriterWritesArrives(ThreadKind kind) throws Exception {
    int pieces = 300;
    Running<Integer> writer =
        Running.on(kind, () -> writePieces(pieces)).waitingOn(client.registration());
    ByteBuffer target = ByteBuffer.allocateDirect(100_000);
    long total = 0;
    for (int count; (count = server.blocking().read(target.clear())) >= 0; ) {
      total += count;
    }
    assertEquals(pieces * 100_000L, total);
    assertEquals(pieces, writer.result());
  }

  private int writePieces(int pieces) throws Exception {
    for (int i = 0; i < pieces; i++) {
      assertEquals(100_000, client.blocking().write(ByteBuffer.allocate(100_000)));
    }
    client.shutdownOutput();
    return pieces;
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({301, 361})
  void closeEndsAWaitingReaderAndWriter(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind);
    server.close();
    assertInstanceOf(ClosedChannelException.class, reader.failure());
    pair.close();
    open();
    Running<Integer> writer = writeForEver(kind);
    client.close();
    assertInstanceOf(ClosedChannelException.class, writer.failure());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({334, 362})
  void interruptEndsAWaitingReaderAndWriterAndTheStreamStaysOpen(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind);
    reader.interrupt();
    assertInstanceOf(InterruptedIOException.class, reader.failure());
    assertTrue(reader.interruptedAtEnd());
    assertTrue(server.isOpen());
    client.tryWrite(ByteBuffer.allocate(3));
    assertEquals(3, server.blocking().read(ByteBuffer.allocate(9)));
    Running<Integer> writer = writeForEver(kind);
    writer.interrupt();
    assertInstanceOf(InterruptedIOException.class, writer.failure());
    assertTrue(writer.interruptedAtEnd());
    assertTrue(client.isOpen());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(364)
  void thePeersCloseIsTheEndAndItsResetAnError(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind);
    client.close();
    assertEquals(-1, reader.result());
    pair.close();
    open();
    Running<Integer> other = read(kind);
    client.setOption(StandardSocketOptions.SO_LINGER, 0);
    client.close();
    SyscallException e = assertInstanceOf(SyscallException.class, other.failure());
    assertEquals("ECONNRESET", e.errnoName());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(365)
  void aWaitingAcceptReturnsTheConnection(ThreadKind kind) throws Exception {
    TcpListener listener = pair.listener();
    Running<TcpStream> accept =
        Running.on(kind, () -> listener.blocking().accept()).waitingOn(listener.registration());
    try (TcpStream connecting = TcpStream.connect(pair.poller(), listener.localAddress());
        TcpStream accepted = accept.result()) {
      assertEquals(connecting.localAddress(), accepted.remoteAddress());
    }
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(289)
  void aReaderAndAWriterOfOneStreamWaitIndependently(ThreadKind kind) throws Exception {
    Running<Integer> writer = writeForEver(kind);
    Running<Integer> reader =
        Running.on(kind, () -> client.blocking().read(ByteBuffer.allocate(10)));
    Eventually.until(
        "both wait",
        () -> pair.poller().snapshot().registrations().stream().anyMatch(fd -> fd.waiters() == 2));
    server.tryWrite(ByteBuffer.allocate(4));
    assertEquals(4, reader.result());
    assertFalse(writer.isDone());
    server.setOption(StandardSocketOptions.SO_LINGER, 0);
    server.close();
    assertInstanceOf(SyscallException.class, writer.failure());
  }

  @Test
  @Conformance(358)
  void moreWaitingVirtualThreadsThanCarriersLetAnotherRun() throws Exception {
    List<TcpPair> pairs = new ArrayList<>();
    List<Running<Integer>> readers = new ArrayList<>();
    try {
      for (int i = 0; i < 4 * Runtime.getRuntime().availableProcessors(); i++) {
        TcpPair other = TcpPair.open();
        pairs.add(other);
        readers.add(
            Running.on(
                    ThreadKind.VIRTUAL,
                    () -> other.server().blocking().read(ByteBuffer.allocate(10)))
                .waitingOn(other.server().registration()));
      }
      assertEquals(42, Running.on(ThreadKind.VIRTUAL, () -> 42).result());
      for (int i = 0; i < pairs.size(); i++) {
        pairs.get(i).client().tryWrite(ByteBuffer.allocate(i % 9 + 1));
        assertEquals(i % 9 + 1, readers.get(i).result());
      }
    } finally {
      pairs.forEach(TcpPair::close);
    }
  }
}
