package dev.epoll.sys;

import java.nio.ByteBuffer;

/** The layout of {@code sigset_t}: bit {@code n - 1} of the first 64 is signal {@code n}. */
public final class SignalSet {
  private static final int SIZE = 128;

  private SignalSet() {}

  /** Writes the set of the signals in {@code bits} at the start of {@code memory}. */
  public static void put(ByteBuffer memory, long bits) {
    for (int i = 0; i < SIZE; i += Long.BYTES) {
      memory.putLong(i, 0);
    }
    memory.putLong(0, bits);
  }
}
