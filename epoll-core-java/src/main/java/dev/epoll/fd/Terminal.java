package dev.epoll.fd;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import dev.epoll.sys.Termios;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;

/**
 * A terminal: what a program was started on, a serial line, or the inner side of a {@link Pty}. It
 * is read and written as {@link RawFd} does it, and its settings can be changed and put back; see
 * <a href="https://man7.org/linux/man-pages/man3/termios.3.html">termios(3)</a>.
 *
 * <p>Settings belong to the terminal, not to this object: every process that has the terminal works
 * with them, and they outlast a program that does not put them back. A program whose job is in the
 * background is stopped (SIGTTOU) when it changes them.
 */
public final class Terminal extends RawFd {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private Terminal(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
  }

  /**
   * Uses {@code fd}, such as {@link Fds#STDIN}, and leaves it open when closed. Its O_NONBLOCK is
   * left alone.
   *
   * @throws SyscallException ENOTTY if {@code fd} is no terminal, EBADF if it is not open
   */
  public static Terminal borrow(Poller poller, int fd) throws IOException {
    requireTerminal(fd);
    return new Terminal(poller, OwnedFd.borrowed(fd));
  }

  /**
   * Takes {@code fd} over, and closes it when closed; if this fails, at once. Otherwise as {@link
   * #borrow}.
   */
  public static Terminal own(Poller poller, int fd) throws IOException {
    OwnedFd owned = OwnedFd.owned(fd);
    try {
      requireTerminal(fd);
    } catch (Throwable e) {
      owned.close();
      throw e;
    }
    return new Terminal(poller, owned);
  }

  /**
   * Opens the terminal at {@code path}, for example {@code /dev/ttyUSB0}, or {@code /dev/tty} for
   * the one that controls this process. Does not wait for a carrier, and does not make the terminal
   * the controlling one.
   *
   * @throws java.nio.file.FileSystemException if it cannot be opened: NoSuchFileException,
   *     AccessDeniedException, or ENXIO if this process has no {@code /dev/tty}
   * @throws SyscallException ENOTTY if it is no terminal; EMFILE or ENFILE
   */
  public static Terminal open(Poller poller, Path path) throws IOException {
    return own(poller, openFile(path));
  }

  /** Whether {@code fd} is a terminal, as isatty(3). */
  public static boolean isTerminal(int fd) {
    return Termios.probe(SYSCALLS, fd) >= 0;
  }

  static int openFile(Path path) throws IOException {
    return OpenFile.open(path, Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_NONBLOCK);
  }

  private static void requireTerminal(int fd) throws SyscallException {
    int result = Termios.probe(SYSCALLS, fd);
    if (result < 0) {
      String advice =
          Errno.ENOTTY.is(result)
              ? "this is " + nameOf(fd) + ", not a terminal; RawFd reads and writes what is none"
              : "";
      throw new SyscallException("ioctl(TCGETS)", -result, fd, advice);
    }
  }

  private static String nameOf(int fd) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    } catch (IOException e) {
      return "something else";
    }
  }

  /**
   * Gives every key as it is typed, and shows none: no lines, no echo, no Ctrl-C (it is read as the
   * byte 3), nothing rewritten either way, 8 bits; as cfmakeraw(3). What was typed before can still
   * be read.
   *
   * @return what puts the settings back that were there before
   * @throws SyscallException EIO if the terminal has hung up
   */
  public Restorer rawMode() throws IOException {
    return change(Termios::raw);
  }

  /**
   * Raw mode for a serial line: the speed too is set, both ways, and the line's modem signals are
   * not minded (CLOCAL). A line that has not got that speed keeps one that it has: see {@link
   * #baudRate()}. Otherwise as {@link #rawMode()}.
   *
   * @param baudRate bits per second: one of the speeds of termios(3), from 50 to 4000000
   * @throws IllegalArgumentException if {@code baudRate} is none of those
   */
  public Restorer rawMode(int baudRate) throws IOException {
    return change(settings -> settings.raw().atSpeed(baudRate));
  }

  /**
   * Shows nothing of what is typed, as for a password; lines and signals stay.
   *
   * @return what puts the settings back that were there before
   * @throws SyscallException EIO if the terminal has hung up
   */
  public Restorer echoOff() throws IOException {
    return change(Termios::withoutEcho);
  }

  /** The speed of a serial line in bits per second; 0 if it is none of those of termios(3). */
  public int baudRate() throws IOException {
    return settings().speed();
  }

  /** How much the terminal shows. */
  public WindowSize windowSize() throws IOException {
    return WindowSize.of(this);
  }

  /** Says how much the terminal shows; programs that run on it are told by SIGWINCH. */
  public void setWindowSize(WindowSize size) throws IOException {
    size.setOn(this);
  }

  private Restorer change(UnaryOperator<Termios> change) throws IOException {
    Termios before = settings();
    set(change.apply(before));
    return new Restorer(this, before);
  }

  private Termios settings() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      call("ioctl(TCGETS)", fd -> SYSCALLS.ioctl(fd, Linux.TCGETS, address));
      return Termios.get(memory.buffer());
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  // Kernel: TCSETSW and TCSETSF, the other two, wait until all output is shown.
  private void set(Termios settings) throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      settings.put(memory.buffer());
      call("ioctl(TCSETS)", fd -> SYSCALLS.ioctl(fd, Linux.TCSETS, address));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /**
   * Puts a terminal's settings back to what they were before a change. Of several, the last is
   * closed first, and each before its terminal: {@code try} statements do it in that order.
   */
  public static final class Restorer implements AutoCloseable {
    private final Terminal terminal;
    private final Termios before;
    private final AtomicBoolean restored = new AtomicBoolean();

    private Restorer(Terminal terminal, Termios before) {
      this.terminal = terminal;
      this.before = before;
    }

    /**
     * Puts the settings back; the first time only, and not if the terminal has hung up.
     *
     * @throws java.nio.channels.ClosedChannelException if the terminal was closed before
     */
    @Override
    public void close() throws IOException {
      if (restored.getAndSet(true)) {
        return;
      }
      try {
        terminal.set(before);
      } catch (SyscallException e) {
        // Kernel: what has hung up has no settings any more.
        if (e.errno() != Errno.EIO.number) {
          throw e;
        }
      }
    }
  }
}
