package dev.epoll.fd;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * A pseudo-terminal, seen from where its keyboard and screen are: what is written here is typed to
 * the programs that run on the terminal at {@link #path()}, and what they show is read here. See <a
 * href="https://man7.org/linux/man-pages/man7/pty.7.html">pty(7)</a>. Non-blocking and
 * close-on-exec.
 *
 * <p>Reading comes to the end, -1, when no program has the terminal open any more (where the kernel
 * says EIO), and goes on if one opens it again. Before the first has opened it, there is just
 * nothing to read. Closing this end hangs the terminal up: programs on it get SIGHUP and read the
 * end of their input. Its end alone is a key: Ctrl-D, the byte 4, at the start of a line.
 */
public final class Pty extends AwaitableFd implements ByteStream {
  private static final Syscalls SYSCALLS = Backend.syscalls();
  private static final Path MULTIPLEXER = Path.of("/dev/ptmx");

  private final Path path;

  private Pty(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
    try {
      this.path = Path.of("/dev/pts/" + unlock());
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /**
   * A new pseudo-terminal, in the settings that terminals start with: lines, with echo.
   *
   * @throws SyscallException EMFILE or ENFILE
   * @throws java.nio.file.FileSystemException ENOSPC: there are as many as the system allows
   * @throws IOException as {@link Poller#register}
   */
  public static Pty open(Poller poller) throws IOException {
    return new Pty(poller, OwnedFd.owned(Terminal.openFile(MULTIPLEXER)));
  }

  /** Lets the terminal be opened, and returns its number. */
  private int unlock() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      memory.buffer().putInt(0, 0);
      call("ioctl(TIOCSPTLCK)", fd -> SYSCALLS.ioctl(fd, Linux.TIOCSPTLCK, address));
      call("ioctl(TIOCGPTN)", fd -> SYSCALLS.ioctl(fd, Linux.TIOCGPTN, address));
      return memory.buffer().getInt(0);
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** Where programs open the terminal, for example {@code /dev/pts/3}. */
  public Path path() {
    return path;
  }

  /**
   * Opens the terminal itself, to talk over the pair within this process or to change its settings.
   * As long as it is open, reading here does not come to the end.
   *
   * @throws SyscallException EMFILE or ENFILE
   * @throws java.nio.channels.ClosedChannelException if this end is closed
   */
  public Terminal openTerminal() throws IOException {
    checkOpen();
    return Terminal.open(registration().poller(), path);
  }

  /** How much the terminal shows; 0 by 0 until somebody says. */
  public WindowSize windowSize() throws IOException {
    return WindowSize.of(this);
  }

  /** Says how much the terminal shows; programs that run on it are told by SIGWINCH. */
  public void setWindowSize(WindowSize size) throws IOException {
    size.setOn(this);
  }

  @Override
  public int tryRead(ByteBuffer target) throws IOException {
    return readInto(target, "read", Pty::readUnlessDeserted);
  }

  private static long readUnlessDeserted(int fd, long address, long count) {
    long result = SYSCALLS.read(fd, address, count);
    // Kernel: EIO comes after the last byte, and only while nobody has the terminal open.
    return Errno.EIO.is(result) ? 0 : result;
  }

  @Override
  public boolean isDrained() {
    return drained();
  }

  @Override
  public int tryWrite(ByteBuffer source) throws IOException {
    return writeFrom(source, source.remaining(), "write", SYSCALLS::write);
  }
}
