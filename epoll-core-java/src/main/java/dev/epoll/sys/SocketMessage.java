package dev.epoll.sys;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * One message for sendmsg(2) or recvmsg(2): its bytes, an address, and file descriptors (SCM_RIGHTS
 * of unix(7), laid out as cmsg(3) says on 64-bit CPUs).
 *
 * <pre>
 *   0        64      128       256              2048
 *   | msghdr | iovec | address | control message | bytes that have no native address of their own
 * </pre>
 */
public final class SocketMessage {
  /** How many descriptors one message carries at the most (SCM_MAX_FD). */
  public static final int MAX_FDS = 253;

  private static final int IOVEC = 64;
  private static final int NAME = 128;
  private static final int CONTROL = 256;
  private static final int BYTES = 2048;

  // struct cmsghdr
  private static final int LEVEL = 8;
  private static final int TYPE = 12;
  private static final int FDS = 16;
  private static final int ALIGNMENT = 8;

  /** How many bytes that have no native address fit into memory that is borrowed; a UDP message. */
  private static final int BORROWED_BYTES = ScratchMemory.SIZE - BYTES;

  private SocketMessage() {}

  /**
   * How many of the remaining bytes of {@code buffer} can be moved without memory of their own; for
   * sockets that may move fewer, or never have more.
   */
  public static int affordable(ByteBuffer buffer) {
    return buffer.isDirect() ? buffer.remaining() : Math.min(buffer.remaining(), BORROWED_BYTES);
  }

  /**
   * Memory for a message of {@code count} bytes that have no native address: borrowed, or if it is
   * large, its own. To be given to {@link #giveBack}.
   */
  public static NativeMemory take(Syscalls syscalls, int count) {
    return count <= BORROWED_BYTES
        ? ScratchMemory.take(syscalls)
        : NativeMemory.allocate(syscalls, Math.addExact(BYTES, count));
  }

  /** Ends the use of {@code memory}. */
  public static void giveBack(NativeMemory memory) {
    if (memory.buffer().capacity() == ScratchMemory.SIZE) {
      ScratchMemory.giveBack(memory);
    }
  }

  /** The place for bytes. */
  public static long bytesAddress(NativeMemory memory) {
    return memory.address() + BYTES;
  }

  /** The first {@code count} of the bytes there. */
  public static ByteBuffer bytes(NativeMemory memory, int count) {
    return memory.buffer().slice(BYTES, count);
  }

  /** Makes it a message of {@code count} bytes at {@code address}, and of nothing else. */
  public static void describe(NativeMemory memory, long address, int count) {
    ByteBuffer struct = memory.buffer();
    MessageHeader.clear(struct, 0);
    MessageHeader.putIovec(struct, IOVEC, address, count);
    MessageHeader.putIovecs(struct, 0, memory.address() + IOVEC, 1);
  }

  /** The place for the address. */
  public static ByteBuffer name(NativeMemory memory) {
    return memory.buffer().slice(NAME, SocketAddresses.MAX_SIZE).order(ByteOrder.nativeOrder());
  }

  /** Says that the address there has {@code length} bytes, or may have as many. */
  public static void putNameLength(NativeMemory memory, int length) {
    MessageHeader.putName(memory.buffer(), 0, memory.address() + NAME, length);
  }

  /** How long the address is that came with the message; 0 if none did. */
  public static int nameLength(NativeMemory memory) {
    return MessageHeader.nameLength(memory.buffer(), 0);
  }

  /** Makes room for {@code count} descriptors to come with the message. */
  public static void putRoomForFds(NativeMemory memory, int count) {
    if (count > 0) {
      // Not rounded up to the alignment, or else the kernel would find room for one more.
      int length = FDS + count * Integer.BYTES;
      MessageHeader.putControl(memory.buffer(), 0, memory.address() + CONTROL, length);
    }
  }

  /** Adds the descriptors to send. */
  public static void putFds(NativeMemory memory, int... fds) {
    putRoomForFds(memory, fds.length);
    ByteBuffer struct = memory.buffer();
    struct.putLong(CONTROL, FDS + fds.length * (long) Integer.BYTES);
    struct.putInt(CONTROL + LEVEL, Linux.SOL_SOCKET);
    struct.putInt(CONTROL + TYPE, Linux.SCM_RIGHTS);
    for (int i = 0; i < fds.length; i++) {
      struct.putInt(CONTROL + FDS + i * Integer.BYTES, fds[i]);
    }
  }

  /** The descriptors that came with the message; they are open, and the caller's. */
  public static int[] fds(NativeMemory memory) {
    ByteBuffer struct = memory.buffer();
    int room = FDS + MAX_FDS * Integer.BYTES;
    int end = CONTROL + Math.min(MessageHeader.controlLength(struct, 0), room);
    int[] fds = new int[MAX_FDS];
    int count = 0;
    int at = CONTROL;
    while (end - at >= FDS) {
      long said = struct.getLong(at);
      if (said < FDS) {
        break;
      }
      int length = (int) Math.min(said, end - at);
      boolean isRights =
          struct.getInt(at + LEVEL) == Linux.SOL_SOCKET
              && struct.getInt(at + TYPE) == Linux.SCM_RIGHTS;
      for (int i = at + FDS; isRights && i + Integer.BYTES <= at + length; i += Integer.BYTES) {
        fds[count++] = struct.getInt(i);
      }
      at += (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return Arrays.copyOf(fds, count);
  }

  /** Whether descriptors were lost, for want of room in the message or of free numbers. */
  public static boolean hasLostFds(NativeMemory memory) {
    return (MessageHeader.flags(memory.buffer(), 0) & Linux.MSG_CTRUNC) != 0;
  }
}
