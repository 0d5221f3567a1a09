package dev.epoll.fd;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * How many characters a terminal shows; 0 means that nobody has said. See <a
 * href="https://man7.org/linux/man-pages/man2/TIOCSWINSZ.2const.html">TIOCSWINSZ(2const)</a>.
 *
 * @param rows from 0 to {@link #MAX}
 * @param columns from 0 to {@link #MAX}
 */
public record WindowSize(int rows, int columns) {
  /** The most rows or columns that the kernel keeps. */
  public static final int MAX = 0xffff;

  private static final Syscalls SYSCALLS = Backend.syscalls();

  /**
   * A size.
   *
   * @throws IllegalArgumentException if one of the numbers is negative or above {@link #MAX}
   */
  public WindowSize {
    if (rows < 0 || rows > MAX || columns < 0 || columns > MAX) {
      throw new IllegalArgumentException(
          "a window of %d rows and %d columns: give 0 to %d of each".formatted(rows, columns, MAX));
    }
  }

  static WindowSize of(AwaitableFd terminal) throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      terminal.call("ioctl(TIOCGWINSZ)", fd -> SYSCALLS.ioctl(fd, Linux.TIOCGWINSZ, address));
      ByteBuffer winsize = memory.buffer();
      return new WindowSize(
          Short.toUnsignedInt(winsize.getShort(0)),
          Short.toUnsignedInt(winsize.getShort(Short.BYTES)));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  void setOn(AwaitableFd terminal) throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      // The other two numbers of struct winsize, a size in pixels, stay unsaid.
      memory
          .buffer()
          .putLong(0, 0)
          .putShort(0, (short) rows)
          .putShort(Short.BYTES, (short) columns);
      terminal.call("ioctl(TIOCSWINSZ)", fd -> SYSCALLS.ioctl(fd, Linux.TIOCSWINSZ, address));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }
}
