package dev.epoll.sys;

import java.nio.ByteBuffer;

/**
 * Several buffers as one {@code struct msghdr} with its {@code struct iovec}s, for sendmsg(2)
 * (64-bit layouts). The bytes of heap buffers are copied behind them, as far as there is room.
 */
public final class GatherMessage {
  private static final int MAX_BUFFERS = 64;

  private static final int IOVECS_ADDRESS = 16;
  private static final int IOVECS_COUNT = 24;
  private static final int HEADER_SIZE = 56;
  private static final int IOVECS = 64;
  private static final int IOVEC_SIZE = 16;
  private static final int BYTES = IOVECS + MAX_BUFFERS * IOVEC_SIZE;

  private GatherMessage() {}

  /**
   * Describes what remains in {@code sources[offset]} to {@code sources[offset + length - 1]}, or
   * as much from the front as fits. The caller keeps both {@code memory} and {@code sources}
   * reachable until the call is over.
   *
   * @return the number of bytes described
   */
  public static long fill(
      Syscalls syscalls, NativeMemory memory, ByteBuffer[] sources, int offset, int length) {
    ByteBuffer struct = memory.buffer();
    for (int i = 0; i < HEADER_SIZE; i += Long.BYTES) {
      struct.putLong(i, 0);
    }
    long total = 0;
    int count = 0;
    int copied = BYTES;
    for (int i = offset; i < offset + length && count < MAX_BUFFERS; i++) {
      ByteBuffer source = sources[i];
      int bytes = source.remaining();
      if (bytes == 0) {
        continue;
      }
      long address;
      if (source.isDirect()) {
        address = NativeMemory.addressOf(syscalls, source);
      } else {
        bytes = Math.min(bytes, ScratchMemory.SIZE - copied);
        struct.put(copied, source, source.position(), bytes);
        address = memory.address() + copied;
        copied += bytes;
      }
      struct.putLong(IOVECS + count * IOVEC_SIZE, address);
      struct.putLong(IOVECS + count * IOVEC_SIZE + Long.BYTES, bytes);
      total += bytes;
      count++;
      if (bytes < source.remaining()) {
        break;
      }
    }
    struct.putLong(IOVECS_ADDRESS, memory.address() + IOVECS);
    struct.putLong(IOVECS_COUNT, count);
    return total;
  }
}
