package dev.epoll;

import dev.epoll.sys.Linux;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel reported of an fd. A hint, not a promise: somebody else may have taken what was
 * there, so retry the read or write and await again if it would block. Immutable.
 */
public final class Readiness {
  /** Nothing was reported: the time of a timed await is over. */
  public static final Readiness NONE = new Readiness(0);

  // The masks that an Interest can be answered with have their bits in 0..4 and RDHUP: 64 of them,
  // each made once.
  private static final int LOW_BITS = 0x1f;
  private static final int COMMON_BITS = LOW_BITS | Linux.EPOLLRDHUP;
  private static final AtomicReferenceArray<Readiness> COMMON = new AtomicReferenceArray<>(64);

  private final int bits;

  private Readiness(int bits) {
    this.bits = bits;
  }

  static Readiness of(int bits) {
    if ((bits & ~COMMON_BITS) != 0) {
      return new Readiness(bits);
    }
    int index = (bits & LOW_BITS) | ((bits & Linux.EPOLLRDHUP) != 0 ? LOW_BITS + 1 : 0);
    Readiness cached = COMMON.getPlain(index);
    if (cached == null) {
      cached = bits == 0 ? NONE : new Readiness(bits);
      COMMON.setRelease(index, cached);
    }
    return cached;
  }

  private boolean has(int anyOf) {
    return (bits & anyOf) != 0;
  }

  /**
   * A read returns at once: with bytes, a connection to accept, the end of the stream, or an error.
   */
  public boolean isReadable() {
    return has(Linux.EPOLLIN | Linux.EPOLLRDHUP | Linux.EPOLLHUP | Linux.EPOLLERR);
  }

  /** A write returns at once: it takes at least a byte, or fails; or a connect has ended. */
  public boolean isWritable() {
    return has(Linux.EPOLLOUT | Linux.EPOLLHUP | Linux.EPOLLERR);
  }

  /** Out-of-band data, or another exceptional condition. */
  public boolean isPriority() {
    return has(Linux.EPOLLPRI);
  }

  /**
   * The fd is in an error state, which the next read or write reports; or the reader of a pipe is
   * gone.
   */
  public boolean isError() {
    return has(Linux.EPOLLERR);
  }

  /** Both directions are over. Bytes that arrived before can still be read. */
  public boolean isHangup() {
    return has(Linux.EPOLLHUP);
  }

  /** The peer will send nothing more. Bytes that arrived before can still be read. */
  public boolean isReadClosed() {
    return has(Linux.EPOLLRDHUP | Linux.EPOLLHUP);
  }

  /** The event bits as the kernel reported them. */
  public EventMask mask() {
    return EventMask.of(bits);
  }

  /** Whether nothing was reported: the time of a timed await is over. */
  public boolean isNone() {
    return bits == 0;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Readiness readiness && readiness.bits == bits;
  }

  @Override
  public int hashCode() {
    return bits;
  }

  /** The names of the event bits, as in {@code IN|RDHUP}. */
  @Override
  public String toString() {
    return mask().toString();
  }
}
