package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A pseudo-terminal whose blocking end is read as a shell's standard input would be. */
class TerminalTest {
  private static final int O_NOCTTY = 0x100;

  private Fds fds;
  private Poller poller;
  private int keyboard;
  private int terminalFd;
  private Terminal terminal;

  /** What makes a pseudo-terminal; pts(4). */
  public interface Pty {
    Pty C = LibraryLoader.create(Pty.class).load("c");

    int grantpt(int fd);

    int unlockpt(int fd);

    String ptsname(int fd);
  }

  @BeforeEach
  void open() throws Exception {
    fds = new Fds();
    poller = Poller.open();
    keyboard = fds.open("/dev/ptmx", LibC.O_RDWR | LibC.O_NONBLOCK | O_NOCTTY);
    check(Pty.C.grantpt(keyboard));
    check(Pty.C.unlockpt(keyboard));
    terminalFd = fds.open(Pty.C.ptsname(keyboard), LibC.O_RDWR | O_NOCTTY);
    terminal = Terminal.borrow(poller, terminalFd);
  }

  @AfterEach
  void close() {
    terminal.close();
    poller.close();
    fds.close();
  }

  private void type(String keys) {
    check(C.write(keyboard, keys.getBytes(US_ASCII), keys.length()));
  }

  @Test
  void aLineIsReadOnceItIsWhole() throws Exception {
    Running<String> reader = Running.of(this::read).waitingOn(terminal.registration());
    type("hel");
    type("lo\n");
    assertEquals("hello\n", reader.result());
    assertEquals(0, C.fcntl(terminalFd, LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
  }

  private String read() throws Exception {
    ByteBuffer line = ByteBuffer.allocate(100);
    terminal.blocking().read(line);
    return new String(line.array(), 0, line.position(), US_ASCII);
  }

  @Test
  void endOfFileIsTheEndOfTheStreamAndMoreCanBeTyped() throws Exception {
    type("\u0004");
    assertEquals(-1, terminal.blocking().read(ByteBuffer.allocate(1)));
    type("x\n");
    assertEquals("x\n", read());
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({353, 367})
  void closingEndsAReadAndTakesNoKey(ThreadKind kind) throws Exception {
    Running<String> reader = Running.on(kind, this::read).waitingOn(terminal.registration());
    terminal.close();
    assertInstanceOf(ClosedChannelException.class, reader.failure());
    type("later\n");
    byte[] line = new byte[10];
    assertEquals(6, C.read(terminalFd, line, line.length));
  }

  @ParameterizedTest
  @EnumSource
  @Conformance({334, 362})
  void interruptEndsAReadAndTakesNoKey(ThreadKind kind) throws Exception {
    Running<String> reader = Running.on(kind, this::read).waitingOn(terminal.registration());
    reader.interrupt();
    assertInstanceOf(InterruptedIOException.class, reader.failure());
    assertTrue(reader.interruptedAtEnd());
    type("later\n");
    assertEquals("later\n", read());
  }

  @Test
  void whatIsWrittenIsShown() throws Exception {
    terminal.blocking().write(ByteBuffer.wrap("prompt> ".getBytes(US_ASCII)));
    StringBuilder shown = new StringBuilder();
    Eventually.until("the prompt is shown", () -> shown.append(onScreen()).length() >= 8);
    assertEquals("prompt> ", shown.toString());
  }

  private String onScreen() {
    byte[] bytes = new byte[20];
    int count = (int) Math.max(C.read(keyboard, bytes, bytes.length), 0);
    return new String(bytes, 0, count, US_ASCII);
  }

  @Test
  void hangupOfTheOtherEndResumesTheReader() throws Exception {
    Running<?> waiter =
        Running.of(() -> terminal.registration().blockUntil(Interest.READABLE))
            .waitingOn(terminal.registration());
    fds.close(keyboard);
    waiter.result();
    assertEquals(-1, terminal.tryRead(ByteBuffer.allocate(1)));
  }
}
