package dev.epoll.sys;

import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * The layout of {@code struct itimerspec} (timerfd_settime(2), 64-bit): the time until a timer
 * expires, and its period after that.
 */
public final class ItimerSpec {
  private static final int INTERVAL = 0;
  private static final int VALUE = 16;

  private ItimerSpec() {}

  /** Writes a struct at the start of {@code memory}; neither time is negative. */
  public static void put(ByteBuffer memory, Duration value, Duration interval) {
    putTimespec(memory, INTERVAL, interval);
    putTimespec(memory, VALUE, value);
  }

  /** How long until it expires, in the struct at the start of {@code memory}. */
  public static Duration value(ByteBuffer memory) {
    return timespec(memory, VALUE);
  }

  /** The period, in the struct at the start of {@code memory}. */
  public static Duration interval(ByteBuffer memory) {
    return timespec(memory, INTERVAL);
  }

  // A Duration is what a timespec is: seconds as a long, and nanoseconds from 0 to 999,999,999.

  private static void putTimespec(ByteBuffer memory, int at, Duration time) {
    memory.putLong(at, time.getSeconds()).putLong(at + Long.BYTES, time.getNano());
  }

  private static Duration timespec(ByteBuffer memory, int at) {
    return Duration.ofSeconds(memory.getLong(at), memory.getLong(at + Long.BYTES));
  }
}
