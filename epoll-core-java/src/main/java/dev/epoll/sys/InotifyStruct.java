package dev.epoll.sys;

import java.nio.ByteBuffer;

/**
 * The layout of {@code struct inotify_event} (inotify(7)): a header, and a name that is filled up
 * with zeros to a multiple of the header's size.
 */
public final class InotifyStruct {
  private static final int WATCH = 0;
  private static final int MASK = 4;
  private static final int COOKIE = 8;
  private static final int NAME_LENGTH = 12;
  private static final int NAME = 16;

  private InotifyStruct() {}

  /**
   * Reads the one event that is next in the queue of {@code fd} to the start of {@code memory}.
   *
   * <p>Kernel: a read takes as many whole events as fit, and is EINVAL if the next one does not
   * fit; every size is a multiple of the header's. So the first size that is enough takes exactly
   * one. The names that people give need two or three calls; that is the price of a queue that is
   * the kernel's alone, in which what nobody took yet stays, and wakes whoever waits.
   *
   * @return its size, or {@code -errno}
   */
  public static long readOne(Syscalls syscalls, int fd, NativeMemory memory) {
    long result = -Errno.EINVAL.number;
    for (int size = NAME; Errno.EINVAL.is(result) && size <= ScratchMemory.SIZE; size += NAME) {
      result = syscalls.read(fd, memory.address(), size);
    }
    return result;
  }

  /** Whether {@code bytes} bytes are one event, neither cut short nor with a length that lies. */
  public static boolean isWhole(ByteBuffer memory, long bytes) {
    return bytes >= NAME && Integer.toUnsignedLong(memory.getInt(NAME_LENGTH)) == bytes - NAME;
  }

  /** The watch descriptor, -1 if the event is of none. */
  public static int watch(ByteBuffer memory) {
    return memory.getInt(WATCH);
  }

  /** What happened. */
  public static int mask(ByteBuffer memory) {
    return memory.getInt(MASK);
  }

  /** What the two events of a rename have in common; 0 for others. */
  public static int cookie(ByteBuffer memory) {
    return memory.getInt(COOKIE);
  }

  /** The name of a {@linkplain #isWhole whole} event, without its zeros; may be empty. */
  public static byte[] name(ByteBuffer memory) {
    int length = 0;
    while (length < memory.getInt(NAME_LENGTH) && memory.get(NAME + length) != 0) {
      length++;
    }
    byte[] name = new byte[length];
    memory.get(NAME, name);
    return name;
  }
}
