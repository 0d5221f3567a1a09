package dev.epoll;

import dev.epoll.sys.Linux;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * What an await waits for: one or more of {@link #READABLE}, {@link #WRITABLE} and {@link
 * #PRIORITY}. Immutable.
 */
public final class Interest {
  /**
   * A read returns at once: bytes, a connection to accept, or the end of the stream (EPOLLIN,
   * EPOLLRDHUP).
   */
  public static final Interest READABLE = new Interest(Linux.EPOLLIN | Linux.EPOLLRDHUP);

  /** A write takes at least a byte, or a connect has ended (EPOLLOUT). */
  public static final Interest WRITABLE = new Interest(Linux.EPOLLOUT);

  /** Out-of-band data, or another exceptional condition (EPOLLPRI). */
  public static final Interest PRIORITY = new Interest(Linux.EPOLLPRI);

  /** The event bits to ask the kernel for. */
  final int mask;

  private Interest(int mask) {
    this.mask = mask;
  }

  /** Either this or {@code other}. */
  public Interest or(Interest other) {
    return new Interest(mask | other.mask);
  }

  /**
   * Whether an event with these bits ends an await of the interest {@code interestMask}. HUP and
   * ERR end every one.
   */
  static boolean isMet(int interestMask, int eventMask) {
    return (eventMask & (interestMask | Linux.EPOLLHUP | Linux.EPOLLERR)) != 0;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Interest interest && interest.mask == mask;
  }

  @Override
  public int hashCode() {
    return mask;
  }

  /** For example {@code READABLE|WRITABLE}. */
  @Override
  public String toString() {
    StringJoiner names = new StringJoiner("|");
    if ((mask & READABLE.mask) != 0) {
      names.add("READABLE");
    }
    if ((mask & WRITABLE.mask) != 0) {
      names.add("WRITABLE");
    }
    if ((mask & PRIORITY.mask) != 0) {
      names.add("PRIORITY");
    }
    return names.toString();
  }
}
