package dev.epoll.sys;

import java.nio.ByteBuffer;

/**
 * The layouts of {@code struct msghdr}, {@code mmsghdr} and {@code iovec} of 64-bit CPUs (recv(2),
 * recvmmsg(2)): the only class that knows them. Offsets are those of the struct in its memory.
 */
public final class MessageHeader {
  /** Size of {@code struct msghdr}. */
  public static final int SIZE = 56;

  /** Size of {@code struct mmsghdr}, a msghdr and the length of what was moved. */
  public static final int MMSG_SIZE = 64;

  /** Size of {@code struct iovec}. */
  public static final int IOVEC_SIZE = 16;

  private static final int NAME_ADDRESS = 0;
  private static final int NAME_LENGTH = 8;
  private static final int IOVECS_ADDRESS = 16;
  private static final int IOVECS_COUNT = 24;
  private static final int CONTROL_ADDRESS = 32;
  private static final int CONTROL_LENGTH = 40;
  private static final int FLAGS = 48;
  private static final int MMSG_LENGTH = 56;

  private MessageHeader() {}

  /** An empty header: no address, no bytes, no control messages. */
  public static void clear(ByteBuffer memory, int offset) {
    for (int i = 0; i < SIZE; i += Long.BYTES) {
      memory.putLong(offset + i, 0);
    }
  }

  /** Where the peer's address is, or is to be stored, and its length. */
  public static void putName(ByteBuffer memory, int offset, long address, int length) {
    memory.putLong(offset + NAME_ADDRESS, address);
    memory.putInt(offset + NAME_LENGTH, length);
  }

  /** How long the address is that the kernel stored. */
  public static int nameLength(ByteBuffer memory, int offset) {
    return memory.getInt(offset + NAME_LENGTH);
  }

  /** Where the iovecs are, and how many. */
  public static void putIovecs(ByteBuffer memory, int offset, long address, int count) {
    memory.putLong(offset + IOVECS_ADDRESS, address);
    memory.putLong(offset + IOVECS_COUNT, count);
  }

  /** An iovec, at an offset of its own. */
  public static void putIovec(ByteBuffer memory, int offset, long address, int bytes) {
    memory.putLong(offset, address);
    memory.putLong(offset + Long.BYTES, bytes);
  }

  /** How many bytes an iovec describes. */
  public static int iovecLength(ByteBuffer memory, int offset) {
    return (int) memory.getLong(offset + Long.BYTES);
  }

  /** Where control messages are, or are to be stored, and how many bytes. */
  public static void putControl(ByteBuffer memory, int offset, long address, int bytes) {
    memory.putLong(offset + CONTROL_ADDRESS, address);
    memory.putLong(offset + CONTROL_LENGTH, bytes);
  }

  /** How many bytes of control messages the kernel stored. */
  public static int controlLength(ByteBuffer memory, int offset) {
    return (int) memory.getLong(offset + CONTROL_LENGTH);
  }

  /** The flags of a message that was received, such as MSG_TRUNC. */
  public static int flags(ByteBuffer memory, int offset) {
    return memory.getInt(offset + FLAGS);
  }

  /** How many bytes a call with several messages moved of the one at {@code offset}. */
  public static int moved(ByteBuffer memory, int offset) {
    return memory.getInt(offset + MMSG_LENGTH);
  }
}
