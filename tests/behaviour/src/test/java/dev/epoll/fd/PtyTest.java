package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PtyTest {
  private Poller poller;
  private Pty pty;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    pty = Pty.open(poller);
  }

  @AfterEach
  void close() {
    pty.close();
    poller.close();
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(US_ASCII));
  }

  /** What one read gives, waited for; null at the end. */
  private static String read(ByteStream stream) throws Exception {
    ByteBuffer target = ByteBuffer.allocate(100);
    int count = stream.blocking().read(target);
    return count < 0 ? null : new String(target.array(), 0, count, US_ASCII);
  }

  @Test
  void whatIsTypedReachesTheTerminalAndWhatItShowsComesBack() throws Exception {
    try (Terminal terminal = pty.openTerminal()) {
      assertEquals(0, pty.tryRead(ByteBuffer.allocate(1)));
      assertEquals(3, pty.tryWrite(bytes("hi\n")));
      assertEquals("hi\n", read(terminal));
      assertEquals("hi\r\n", read(pty));
      assertTrue(pty.isDrained());
      assertEquals(2, terminal.tryWrite(bytes("ho")));
      assertEquals("ho", read(pty));
    }
  }

  @Test
  void beforeTheFirstProgramThereIsJustNothingToRead() throws Exception {
    assertEquals(0, pty.tryRead(ByteBuffer.allocate(1)));
    assertTrue(pty.registration().blockUntil(Interest.READABLE, Duration.ZERO).isNone());
    Running<String> reader = Running.of(() -> read(pty)).waitingOn(pty.registration());
    try (Terminal terminal = pty.openTerminal()) {
      terminal.tryWrite(bytes("first"));
      assertEquals("first", reader.result());
    }
  }

  @Test
  void theEndComesAfterTheLastByteAndGoesWhenTheTerminalIsOpenedAgain() throws Exception {
    for (String last : new String[] {"bye", "and again"}) {
      Terminal terminal = pty.openTerminal();
      Terminal other = pty.openTerminal();
      assertEquals(0, pty.tryRead(ByteBuffer.allocate(1)));
      terminal.tryWrite(bytes(last));
      terminal.close();
      assertEquals(last, read(pty));
      Running<String> reader = Running.of(() -> read(pty)).waitingOn(pty.registration());
      other.close();
      assertEquals(null, reader.result());
      assertEquals(-1, pty.tryRead(ByteBuffer.allocateDirect(1)));
      assertTrue(pty.registration().blockUntil(Interest.READABLE).isHangup());
    }
  }

  @Test
  void ctrlDIsTheEndForTheProgramAndMoreCanBeTyped() throws Exception {
    try (Terminal terminal = pty.openTerminal()) {
      pty.tryWrite(bytes("\u0004"));
      assertEquals(null, read(terminal));
      pty.tryWrite(bytes("on\n"));
      assertEquals("on\n", read(terminal));
    }
  }

  @Test
  void closingHangsTheTerminalUp() throws Exception {
    try (Terminal terminal = pty.openTerminal()) {
      Running<String> reader = Running.of(() -> read(terminal)).waitingOn(terminal.registration());
      pty.close();
      assertEquals(null, reader.result());
      assertThrows(SyscallException.class, () -> terminal.tryWrite(bytes("x")));
    }
  }

  @Test
  void everyPairHasItsOwnPath() throws Exception {
    try (Pty other = Pty.open(poller)) {
      assertNotEquals(pty.path(), other.path());
      assertTrue(pty.path().startsWith("/dev/pts"));
    }
  }

  @Test
  void isCloseOnExecAndNonBlocking() {
    assertEquals(LibC.FD_CLOEXEC, C.fcntl(pty.fd(), LibC.F_GETFD, 0));
    assertTrue((C.fcntl(pty.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
  }

  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("try") // Raw mode is for its end alone.
  void manyBytesArriveInOrderThroughAFullTerminal(ThreadKind kind) throws Exception {
    byte[] bytes = new byte[200_000];
    new Random(1).nextBytes(bytes);
    try (Terminal terminal = pty.openTerminal();
        Terminal.Restorer restorer = terminal.rawMode()) {
      for (ByteStream[] way : new ByteStream[][] {{pty, terminal}, {terminal, pty}}) {
        ByteChannel from = way[0].blocking();
        Running<?> writer = Running.on(kind, () -> from.write(ByteBuffer.wrap(bytes)));
        ByteBuffer read = ByteBuffer.allocate(bytes.length);
        while (read.hasRemaining()) {
          assertTrue(way[1].blocking().read(read) > 0);
        }
        assertEquals(bytes.length, writer.result());
        assertArrayEquals(bytes, read.array());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void closeFailsTheWaitingReaderAndLaterCalls(ThreadKind kind) throws Exception {
    Running<?> reader = Running.on(kind, () -> read(pty)).waitingOn(pty.registration());
    pty.close();
    pty.close();
    assertInstanceOf(ClosedChannelException.class, reader.failure());
    assertFalse(pty.isOpen());
    assertThrows(ClosedChannelException.class, () -> pty.tryRead(ByteBuffer.allocate(1)));
    assertThrows(ClosedChannelException.class, () -> pty.tryWrite(ByteBuffer.allocate(1)));
    assertThrows(ClosedChannelException.class, pty::openTerminal);
    assertThrows(ClosedChannelException.class, pty::windowSize);
    assertThrows(ClosedChannelException.class, () -> pty.setWindowSize(new WindowSize(1, 1)));
  }

  @ParameterizedTest
  @EnumSource
  void interruptEndsTheWaitingReaderAndTakesNothing(ThreadKind kind) throws Exception {
    Running<?> reader = Running.on(kind, () -> read(pty)).waitingOn(pty.registration());
    reader.interrupt();
    assertInstanceOf(InterruptedIOException.class, reader.failure());
    try (Terminal terminal = pty.openTerminal()) {
      terminal.tryWrite(bytes("x"));
      assertEquals("x", read(pty));
    }
  }

  @Test
  void whatCannotBeOpenedLeavesNothing() throws Exception {
    Poller closed = Poller.open();
    closed.close();
    var before = Fds.openNow();
    assertEquals("EMFILE", failure(() -> Pty.open(poller)).errnoName());
    assertTrue(failure(() -> Pty.open(poller)).getMessage().contains("/dev/ptmx"));
    assertEquals("EMFILE", failure(pty::openTerminal).errnoName());
    assertThrows(ClosedPollerException.class, () -> Pty.open(closed));
    assertThrows(ClosedPollerException.class, () -> Terminal.open(closed, pty.path()));
    assertEquals(before, Fds.openNow());
  }

  private static SyscallException failure(Callable<?> opening) {
    return assertInstanceOf(
        SyscallException.class,
        FdLimit.whileReached(
            () -> {
              try {
                return opening.call();
              } catch (Exception e) {
                return e;
              }
            }));
  }
}
