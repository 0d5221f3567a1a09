package dev.epoll.fd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.Poller;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockingChannelTest {
  private static final int MORE_THAN_FITS = 2_000_000;

  private Poller poller;
  private Pipe pipe;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    pipe = Pipe.open(poller);
  }

  @AfterEach
  void close() {
    pipe.close();
    poller.close();
  }

  private Running<Integer> read(ThreadKind kind, ByteBuffer target) {
    return Running.on(kind, () -> pipe.source().blocking().read(target))
        .waitingOn(pipe.source().registration());
  }

  private Running<Integer> write(ThreadKind kind, ByteBuffer source) {
    return Running.on(kind, () -> pipe.sink().blocking().write(source))
        .waitingOn(pipe.sink().registration());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(367)
  void aReadWaitsForTheFirstByteAndForNoMore(ThreadKind kind) throws Exception {
    ByteBuffer target = ByteBuffer.allocate(10);
    Running<Integer> reader = read(kind, target);
    pipe.sink().tryWrite(ByteBuffer.wrap(new byte[] {7, 8}));
    assertEquals(2, reader.result());
    assertEquals(2, target.position());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(364)
  void aReadEndsWhenTheOtherEndCloses(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind, ByteBuffer.allocate(10));
    pipe.sink().close();
    assertEquals(-1, reader.result());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({359, 367})
  void aWriteWaitsUntilAllIsWritten(ThreadKind kind) throws Exception {
    ByteBuffer source = ByteBuffer.allocateDirect(MORE_THAN_FITS);
    Running<Integer> writer = write(kind, source);
    assertFalse(writer.isDone());
    ByteBuffer target = ByteBuffer.allocate(10_000);
    for (int read = 0; read < MORE_THAN_FITS; ) {
      read += pipe.source().blocking().read(target.clear());
    }
    assertEquals(MORE_THAN_FITS, writer.result());
    assertEquals(0, source.remaining());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({334, 362, 367})
  void interruptEndsAReadAndLeavesTheChannelOpen(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind, ByteBuffer.allocate(10));
    reader.interrupt();
    assertInstanceOf(InterruptedIOException.class, reader.failure());
    assertTrue(reader.interruptedAtEnd());
    assertTrue(pipe.source().blocking().isOpen());
    pipe.sink().tryWrite(ByteBuffer.allocate(1));
    assertEquals(1, pipe.source().blocking().read(ByteBuffer.allocate(10)));
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({334, 362, 367})
  void interruptEndsAWriteAndThePositionSaysHowFarItCame(ThreadKind kind) throws Exception {
    ByteBuffer source = ByteBuffer.allocate(MORE_THAN_FITS);
    Running<Integer> writer = write(kind, source);
    writer.interrupt();
    assertInstanceOf(InterruptedIOException.class, writer.failure());
    assertTrue(writer.interruptedAtEnd());
    assertTrue(pipe.sink().isOpen());
    assertEquals(source.position(), Fds.drain(pipe.source().fd()));
    assertTrue(source.position() > 0);
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({353, 361, 367})
  void closeFailsTheWaitingReaderAndWriter(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind, ByteBuffer.allocate(10));
    pipe.source().blocking().close();
    assertInstanceOf(ClosedChannelException.class, reader.failure());
    pipe.close();
    pipe = Pipe.open(poller);
    Running<Integer> writer = write(kind, ByteBuffer.allocate(MORE_THAN_FITS));
    pipe.sink().blocking().close();
    assertInstanceOf(ClosedChannelException.class, writer.failure());
    assertFalse(pipe.sink().isOpen() || pipe.sink().blocking().isOpen());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(343)
  void closingThePollerFailsTheWaitingReader(ThreadKind kind) throws Exception {
    Running<Integer> reader = read(kind, ByteBuffer.allocate(10));
    poller.close();
    assertInstanceOf(ClosedPollerException.class, reader.failure());
  }

  @Test
  @Conformance(329)
  void aPendingInterruptEndsOnlyAReadThatWouldWait() throws Exception {
    pipe.sink().tryWrite(ByteBuffer.allocate(1));
    Running<Integer> reader =
        Running.of(
            () -> {
              Thread.currentThread().interrupt();
              assertEquals(1, pipe.source().blocking().read(ByteBuffer.allocate(1)));
              return pipe.source().blocking().read(ByteBuffer.allocate(1));
            });
    assertInstanceOf(InterruptedIOException.class, reader.failure());
    assertTrue(reader.interruptedAtEnd());
  }

  @Test
  void emptyBuffersReturnAtOnce() throws Exception {
    ByteBuffer empty = ByteBuffer.allocate(0);
    assertEquals(0, pipe.source().blocking().read(empty));
    Fds.fill(pipe.sink().fd());
    assertEquals(0, pipe.sink().blocking().write(empty));
    pipe.close();
    assertThrows(ClosedChannelException.class, () -> pipe.source().blocking().read(empty));
    assertThrows(ClosedChannelException.class, () -> pipe.sink().blocking().write(empty));
  }

  @Test
  @Conformance(301)
  void aClosedChannelThatWasDrainedRefusesToWait() throws Exception {
    ByteBuffer target = ByteBuffer.allocate(1);
    assertEquals(0, pipe.source().tryRead(target));
    assertTrue(pipe.source().isDrained());
    pipe.source().close();
    assertThrows(ClosedChannelException.class, () -> pipe.source().blocking().read(target));
  }

  @Test
  void threadsThatReadOneChannelShareItsBytes() throws Exception {
    Running<Integer> one = Running.of(this::count);
    Running<Integer> two = Running.of(this::count);
    for (int i = 0; i < 5_000; i++) {
      pipe.sink().blocking().write(ByteBuffer.allocate(1 + i % 7));
    }
    pipe.sink().close();
    int expected = 0;
    for (int i = 0; i < 5_000; i++) {
      expected += 1 + i % 7;
    }
    assertEquals(expected, one.result() + two.result());
  }

  private int count() throws Exception {
    ByteBuffer target = ByteBuffer.allocate(100);
    int total = 0;
    while (true) {
      int count = pipe.source().blocking().read(target.clear());
      if (count < 0) {
        return total;
      }
      total += count;
    }
  }

  @Test
  void theJdksStreamsRunOverTheChannels() throws Exception {
    byte[] bytes = new byte[300_000];
    new Random(1).nextBytes(bytes);
    InputStream in = Channels.newInputStream(pipe.source().blocking());
    Running<byte[]> reader = Running.of(in::readAllBytes);
    try (OutputStream out = Channels.newOutputStream(pipe.sink().blocking())) {
      out.write(bytes);
    }
    assertArrayEquals(bytes, reader.result());
  }
}
