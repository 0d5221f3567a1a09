package dev.epoll;

import dev.epoll.sys.Linux;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * A set of epoll event bits and input flags, as in {@code struct epoll_event}; see <a
 * href="https://man7.org/linux/man-pages/man2/epoll_ctl.2.html">epoll_ctl(2)</a>. Immutable; any 32
 * bits are a mask, which of them the kernel takes is its business and {@link Epoll}'s.
 */
public final class EventMask {
  /** No bit: the kernel still reports {@link #ERR} and {@link #HUP}. */
  public static final EventMask NONE = new EventMask(0);

  /** A read will not block: data, a connection to accept, or the end of the stream. */
  public static final EventMask IN = new EventMask(Linux.EPOLLIN);

  /** A write will not block, or a connect has ended. */
  public static final EventMask OUT = new EventMask(Linux.EPOLLOUT);

  /** An exceptional condition: out-of-band data, a change in a watched /proc file. */
  public static final EventMask PRI = new EventMask(Linux.EPOLLPRI);

  /** The peer of a stream socket shut down its writing half. */
  public static final EventMask RDHUP = new EventMask(Linux.EPOLLRDHUP);

  /** An error, or the reader of a pipe is gone. Reported whether asked for or not. */
  public static final EventMask ERR = new EventMask(Linux.EPOLLERR);

  /** Hang-up: both directions are over. Reported whether asked for or not. */
  public static final EventMask HUP = new EventMask(Linux.EPOLLHUP);

  /** Same as {@link #IN}. */
  public static final EventMask RDNORM = new EventMask(Linux.EPOLLRDNORM);

  /** Priority band data can be read. */
  public static final EventMask RDBAND = new EventMask(Linux.EPOLLRDBAND);

  /** Same as {@link #OUT}. */
  public static final EventMask WRNORM = new EventMask(Linux.EPOLLWRNORM);

  /** Priority band data can be written. */
  public static final EventMask WRBAND = new EventMask(Linux.EPOLLWRBAND);

  /** Never reported. */
  public static final EventMask MSG = new EventMask(Linux.EPOLLMSG);

  /** Input flag: report a change once, not the state as long as it lasts. */
  public static final EventMask EDGE_TRIGGERED = new EventMask(Linux.EPOLLET);

  /** Input flag: after one event the fd stays in the set, disarmed until it is modified. */
  public static final EventMask ONESHOT = new EventMask(Linux.EPOLLONESHOT);

  /** Input flag: of several epoll sets that watch one target, wake one or more but not all. */
  public static final EventMask EXCLUSIVE = new EventMask(Linux.EPOLLEXCLUSIVE);

  /**
   * Input flag: keep the system awake while an event is unprocessed; ignored without
   * CAP_BLOCK_SUSPEND.
   */
  public static final EventMask WAKEUP = new EventMask(Linux.EPOLLWAKEUP);

  private static final EventMask[] NAMED = {
    IN,
    PRI,
    OUT,
    ERR,
    HUP,
    RDNORM,
    RDBAND,
    WRNORM,
    WRBAND,
    MSG,
    RDHUP,
    EXCLUSIVE,
    WAKEUP,
    ONESHOT,
    EDGE_TRIGGERED
  };
  private static final String[] NAMES = {
    "IN",
    "PRI",
    "OUT",
    "ERR",
    "HUP",
    "RDNORM",
    "RDBAND",
    "WRNORM",
    "WRBAND",
    "MSG",
    "RDHUP",
    "EXCLUSIVE",
    "WAKEUP",
    "ONESHOT",
    "EDGE_TRIGGERED"
  };

  private final int bits;

  private EventMask(int bits) {
    this.bits = bits;
  }

  /** The mask with exactly these bits. */
  public static EventMask of(int bits) {
    return bits == 0 ? NONE : new EventMask(bits);
  }

  /** The bits, as the kernel takes them. */
  public int bits() {
    return bits;
  }

  /** The bits that are in this mask or in {@code other}. */
  public EventMask or(EventMask other) {
    return of(bits | other.bits);
  }

  /** The bits that are in this mask and in {@code other}. */
  public EventMask and(EventMask other) {
    return of(bits & other.bits);
  }

  /** The bits of this mask that are not in {@code other}. */
  public EventMask without(EventMask other) {
    return of(bits & ~other.bits);
  }

  /** Whether every bit of {@code other} is in this mask. */
  public boolean contains(EventMask other) {
    return (bits & other.bits) == other.bits;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof EventMask mask && mask.bits == bits;
  }

  @Override
  public int hashCode() {
    return bits;
  }

  /**
   * The names of the bits, as in {@code IN|RDHUP|ONESHOT}; unnamed bits in hexadecimal; {@code
   * NONE} for none.
   */
  @Override
  public String toString() {
    if (bits == 0) {
      return "NONE";
    }
    StringJoiner names = new StringJoiner("|");
    int rest = bits;
    for (int i = 0; i < NAMED.length; i++) {
      if (contains(NAMED[i])) {
        names.add(NAMES[i]);
        rest &= ~NAMED[i].bits;
      }
    }
    if (rest != 0) {
      names.add("0x" + Integer.toHexString(rest));
    }
    return names.toString();
  }
}
