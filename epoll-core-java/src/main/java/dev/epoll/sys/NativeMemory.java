package dev.epoll.sys;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A direct buffer in native byte order together with its address, which is asked for once.
 *
 * <p>Whoever passes {@link #address()} to a call keeps this object reachable until the call is
 * over.
 */
public final class NativeMemory {
  private final ByteBuffer buffer;
  private final long address;

  private NativeMemory(ByteBuffer buffer, long address) {
    this.buffer = buffer;
    this.address = address;
  }

  /** Zeroed memory of {@code bytes} bytes, freed by the garbage collector. */
  public static NativeMemory allocate(Syscalls syscalls, int bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    return new NativeMemory(buffer, syscalls.addressOf(buffer));
  }

  /**
   * The native address of what remains in {@code direct}, which is not empty.
   *
   * @throws IllegalStateException if its memory belongs to an arena that is closed
   */
  public static long addressOf(Syscalls syscalls, ByteBuffer direct) {
    // Reading a byte is what finds out: an address alone would be that of freed memory.
    byte unused = direct.get(direct.position());
    return syscalls.addressOf(direct);
  }

  public ByteBuffer buffer() {
    return buffer;
  }

  public long address() {
    return address;
  }
}
