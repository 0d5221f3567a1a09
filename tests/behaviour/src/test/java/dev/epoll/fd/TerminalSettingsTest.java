package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static dev.epoll.testing.Shell.stty;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of a terminal, as stty(1) and the other end of the pair see them. */
@SuppressWarnings("try") // A change is undone by its end alone.
class TerminalSettingsTest {
  private Poller poller;
  private Pty pty;
  private Terminal terminal;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    pty = Pty.open(poller);
    terminal = pty.openTerminal();
  }

  @AfterEach
  void close() {
    terminal.close();
    pty.close();
    poller.close();
  }

  private static void write(ByteStream stream, String text) throws IOException {
    assertEquals(text.length(), stream.tryWrite(ByteBuffer.wrap(text.getBytes(US_ASCII))));
  }

  /** Reads as much as {@code expected} is long, waiting for it, and not more. */
  private static void assertReads(String expected, ByteStream stream) throws Exception {
    ByteBuffer target = ByteBuffer.allocate(expected.length());
    while (target.hasRemaining() && stream.blocking().read(target) >= 0) {}
    assertEquals(expected, new String(target.array(), 0, target.position(), US_ASCII));
  }

  private static boolean isReadable(ByteStream stream) throws IOException, InterruptedException {
    return !stream.registration().blockUntil(Interest.READABLE, Duration.ZERO).isNone();
  }

  @Test
  void rawModeGivesEveryByteAsItIsAndIsUndone() throws Exception {
    String before = stty(pty.path(), "-g");
    try (Terminal.Restorer restorer = terminal.rawMode()) {
      write(pty, "a\u0003\r\u0004");
      assertReads("a\u0003\r\u0004", terminal);
      write(terminal, "x\ny");
      assertReads("x\ny", pty);
      assertFalse(isReadable(pty), "nothing is echoed");
      assertNotEquals(before, stty(pty.path(), "-g"));
    }
    assertEquals(before, stty(pty.path(), "-g"));
    write(terminal, "x\n");
    assertReads("x\r\n", pty);
  }

  /** What libc has for it. */
  public interface LibCTermios {
    LibCTermios C = LibraryLoader.create(LibCTermios.class).load("c");

    int SIZE = 60;

    int tcgetattr(int fd, byte[] settings);

    int tcsetattr(int fd, int when, byte[] settings);

    void cfmakeraw(byte[] settings);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sane", "istrip inlcr igncr parmrk ignbrk echonl min 7 time 9"})
  void rawModeIsThatOfLibc(String settings) throws Exception {
    stty(pty.path(), settings.split(" "));
    byte[] raw = new byte[LibCTermios.SIZE];
    check(LibCTermios.C.tcgetattr(terminal.fd(), raw));
    LibCTermios.C.cfmakeraw(raw);
    String ours;
    try (Terminal.Restorer restorer = terminal.rawMode()) {
      ours = stty(pty.path(), "-g");
    }
    // Linux leaves VTIME as it is in cfmakeraw, where it means something only if VMIN is not 1.
    stty(pty.path(), "time", "0");
    check(LibCTermios.C.tcsetattr(terminal.fd(), 0, raw));
    stty(pty.path(), "time", "0");
    assertEquals(stty(pty.path(), "-g"), ours);
  }

  @Test
  void noKeyIsLostByAChangeOfMode() throws Exception {
    write(pty, "hal");
    assertFalse(isReadable(terminal));
    try (Terminal.Restorer restorer = terminal.rawMode()) {
      assertReads("hal", terminal);
      write(pty, "f\n");
      Eventually.until("the keys arrive", () -> isReadable(terminal));
    }
    assertReads("f\n", terminal);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600,
        115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000,
        3000000, 3500000, 4000000
      })
  void aSerialLineGetsItsSpeedAndIsRaw(int baudRate) throws Exception {
    stty(pty.path(), "-clocal");
    String before = stty(pty.path(), "-g");
    try (Terminal.Restorer restorer = terminal.rawMode(baudRate)) {
      assertEquals(baudRate, terminal.baudRate());
      String settings = stty(pty.path(), "-a");
      assertTrue(settings.startsWith("speed " + baudRate + " baud;"), settings);
      assertTrue(settings.contains(" clocal"), settings);
      assertTrue(settings.contains("-icanon") && settings.contains("-echo "), settings);
    }
    assertEquals(before, stty(pty.path(), "-g"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 9601, Integer.MAX_VALUE})
  void aSpeedThatNoLineHasIsRefusedAndNothingIsChanged(int baudRate) throws Exception {
    String before = stty(pty.path(), "-g");
    var e = assertThrows(IllegalArgumentException.class, () -> terminal.rawMode(baudRate));
    assertTrue(e.getMessage().contains("speed of " + baudRate + ":"), e.getMessage());
    assertTrue(e.getMessage().contains(" 115200,"), e.getMessage());
    assertEquals(before, stty(pty.path(), "-g"));
  }

  @Test
  void whatIsTypedWithoutEchoIsReadAsALineAndNotShown() throws Exception {
    try (Terminal.Restorer restorer = terminal.echoOff()) {
      write(pty, "secrex\u007ft\n");
      assertReads("secret\n", terminal);
      assertFalse(isReadable(pty));
    }
    write(pty, "a\n");
    assertReads("a\r\n", pty);
  }

  @Test
  void eachRestorerUndoesItsOwnChangeOnce() throws Exception {
    String before = stty(pty.path(), "-g");
    Terminal.Restorer echo = terminal.echoOff();
    String silent = stty(pty.path(), "-g");
    Terminal.Restorer raw = terminal.rawMode();
    raw.close();
    assertEquals(silent, stty(pty.path(), "-g"));
    echo.close();
    assertEquals(before, stty(pty.path(), "-g"));
    try (Terminal.Restorer later = terminal.echoOff()) {
      raw.close();
      echo.close();
      assertEquals(silent, stty(pty.path(), "-g"));
    }
  }

  @Test
  void nothingIsRestoredOnceTheTerminalHasHungUp() throws Exception {
    Terminal.Restorer restorer = terminal.rawMode();
    pty.close();
    restorer.close();
    SyscallException e = assertThrows(SyscallException.class, terminal::rawMode);
    assertEquals("EIO", e.errnoName());
    assertEquals(terminal.fd(), e.fd());
  }

  @Test
  void aClosedTerminalCannotBeRestored() throws Exception {
    Terminal.Restorer restorer = terminal.rawMode();
    terminal.close();
    assertThrows(ClosedChannelException.class, restorer::close);
    assertThrows(ClosedChannelException.class, terminal::echoOff);
    assertThrows(ClosedChannelException.class, terminal::baudRate);
    assertThrows(ClosedChannelException.class, terminal::windowSize);
  }

  @Test
  void bothEndsSeeTheSizeOfTheWindow() throws Exception {
    assertEquals(new WindowSize(0, 0), pty.windowSize());
    pty.setWindowSize(new WindowSize(24, 80));
    assertEquals(new WindowSize(24, 80), terminal.windowSize());
    assertEquals("24 80", stty(pty.path(), "size"));
    terminal.setWindowSize(new WindowSize(WindowSize.MAX, 1));
    assertEquals(new WindowSize(WindowSize.MAX, 1), pty.windowSize());
    for (int bad : new int[] {-1, WindowSize.MAX + 1}) {
      var e = assertThrows(IllegalArgumentException.class, () -> new WindowSize(bad, 1));
      assertTrue(e.getMessage().contains(bad + " rows"), e.getMessage());
      assertThrows(IllegalArgumentException.class, () -> new WindowSize(1, bad));
    }
  }

  @Test
  void whatIsNoTerminalIsRefusedByName() throws Exception {
    try (Fds fds = new Fds()) {
      refuses(fds.pipe().a(), "pipe:[");
      refuses(fds.eventfd(0), "anon_inode:[eventfd]");
      refuses(fds.open("/dev/null", LibC.O_RDONLY), "/dev/null");
      refuses(fds.open("/proc/self/exe", LibC.O_RDONLY), "java");
    }
    assertEquals(
        "EBADF",
        assertThrows(SyscallException.class, () -> Terminal.borrow(poller, -1)).errnoName());
  }

  private void refuses(int fd, String name) {
    var e = assertThrows(SyscallException.class, () -> Terminal.borrow(poller, fd));
    assertEquals("ENOTTY", e.errnoName());
    assertEquals(fd, e.fd());
    assertTrue(e.getMessage().contains(name) && e.getMessage().contains("fd " + fd), e::toString);
    assertFalse(Terminal.isTerminal(fd));
    assertTrue(C.fcntl(fd, LibC.F_GETFD, 0) >= 0, "a borrowed fd stays open");
    int owned = C.dup(fd);
    assertThrows(SyscallException.class, () -> Terminal.own(poller, owned));
    assertEquals(-1, C.fcntl(owned, LibC.F_GETFD, 0), "an owned fd is closed");
  }

  @Test
  void aPathIsOpenedForThisProgramAlone() throws Exception {
    assertTrue(Terminal.isTerminal(terminal.fd()));
    assertEquals(LibC.FD_CLOEXEC, C.fcntl(terminal.fd(), LibC.F_GETFD, 0));
    assertTrue((C.fcntl(terminal.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
    Path missing = Path.of("/dev/pts/nothing");
    assertThrows(NoSuchFileException.class, () -> Terminal.open(poller, missing));
    var before = Fds.openNow();
    var none =
        assertThrows(SyscallException.class, () -> Terminal.open(poller, Path.of("/dev/null")));
    assertEquals("ENOTTY", none.errnoName());
    assertEquals(before, Fds.openNow());
  }
}
