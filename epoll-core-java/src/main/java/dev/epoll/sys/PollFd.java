package dev.epoll.sys;

import java.nio.ByteBuffer;

/** poll(2) of one fd with a timeout of 0, and the layout of {@code struct pollfd}. */
public final class PollFd {
  private static final int FD = 0;
  private static final int EVENTS = 4;
  private static final int REVENTS = 6;

  private PollFd() {}

  /**
   * Which of {@code events}, POLLERR and POLLHUP hold of {@code fd} now; {@code -EBADF} if it is
   * not open. The bits are those of epoll.
   */
  public static int ask(Syscalls syscalls, int fd, int events) {
    if (fd < 0) {
      return -Errno.EBADF.number; // Kernel: poll(2) passes over a negative fd.
    }
    NativeMemory memory = ScratchMemory.take(syscalls);
    try {
      ByteBuffer pollfd = memory.buffer();
      pollfd.putInt(FD, fd).putShort(EVENTS, (short) events).putShort(REVENTS, (short) 0);
      int result;
      do {
        result = syscalls.poll(memory.address(), 1, 0);
      } while (Errno.EINTR.is(result));
      if (result <= 0) {
        return result;
      }
      int revents = pollfd.getShort(REVENTS);
      return (revents & Linux.POLLNVAL) != 0 ? -Errno.EBADF.number : revents;
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }
}
