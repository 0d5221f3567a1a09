package dev.epoll.sys;

import java.nio.ByteBuffer;

/**
 * The layout of {@code struct epoll_event}: the only class that knows it.
 *
 * <p>Kernel: x86-64 packs the struct (EPOLL_PACKED in uapi/linux/eventpoll.h), so it has 12 bytes
 * there; other 64-bit CPUs align its u64, so it has 16.
 */
public final class EpollEvent {
  private static final int EVENTS_OFFSET = 0;

  private EpollEvent() {}

  /** Byte offset of {@code data} on a CPU with the given {@code os.arch}. */
  static int dataOffset(String arch) {
    return arch.equals("amd64") || arch.equals("x86_64") ? 4 : 8;
  }

  private static final int DATA_OFFSET = dataOffset(System.getProperty("os.arch", ""));

  /** Size of the struct in bytes on this CPU. */
  public static final int SIZE = DATA_OFFSET + Long.BYTES;

  static void put(ByteBuffer memory, int index, int events, long data) {
    memory.putInt(index * SIZE + EVENTS_OFFSET, events);
    memory.putLong(index * SIZE + DATA_OFFSET, data);
  }

  static int events(ByteBuffer memory, int index) {
    return memory.getInt(index * SIZE + EVENTS_OFFSET);
  }

  static long data(ByteBuffer memory, int index) {
    return memory.getLong(index * SIZE + DATA_OFFSET);
  }

  /** Writes one struct at the start of {@code memory}, as epoll_ctl(2) reads it. */
  public static void put(NativeMemory memory, int events, long data) {
    put(memory.buffer(), 0, events, data);
  }
}
