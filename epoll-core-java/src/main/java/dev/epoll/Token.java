package dev.epoll;

/**
 * The 64 bits that travel through the kernel in {@code epoll_data}: the slot of a registration in
 * the low half, the sequence number of an arm in the high half.
 *
 * <p>Invariant: a slot's sequence number grows with each arm and goes on when the slot gets a new
 * owner, so an event of an earlier arm can be told apart until 2^32 arms later.
 */
final class Token {
  private static final int WAKEUP_SLOT = -1;

  /** The token of the wakeup; no registration ever has its slot. */
  static final long WAKEUP = of(WAKEUP_SLOT, 0);

  private Token() {}

  static long of(int slot, int sequence) {
    return ((long) sequence << 32) | (slot & 0xffff_ffffL);
  }

  static int slot(long token) {
    return (int) token;
  }

  static int sequence(long token) {
    return (int) (token >>> 32);
  }
}
