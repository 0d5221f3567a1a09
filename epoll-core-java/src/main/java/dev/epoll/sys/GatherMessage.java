package dev.epoll.sys;

import java.nio.ByteBuffer;

/**
 * Several buffers as one message for sendmsg(2). The bytes of heap buffers are copied behind the
 * structs, as far as there is room.
 */
public final class GatherMessage {
  private static final int MAX_BUFFERS = 64;

  private static final int IOVECS = 64;
  private static final int BYTES = IOVECS + MAX_BUFFERS * MessageHeader.IOVEC_SIZE;

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
      MessageHeader.putIovec(struct, IOVECS + count * MessageHeader.IOVEC_SIZE, address, bytes);
      total += bytes;
      count++;
      if (bytes < source.remaining()) {
        break;
      }
    }
    MessageHeader.clear(struct, 0);
    MessageHeader.putIovecs(struct, 0, memory.address() + IOVECS, count);
    return total;
  }
}
