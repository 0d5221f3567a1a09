package dev.epoll;

import dev.epoll.sys.Syscalls;

/**
 * A wakeup alone. It is made in so little time, and its calls take so little, that two threads come
 * much closer to each other than in a {@link CoreUnderStress}.
 */
class WakeupUnderStress {
  private static final Syscalls SYSCALLS = new CallsThatSucceed().syscalls;

  private final Counters counters = new Counters();
  final Wakeup wakeup;

  WakeupUnderStress() {
    try {
      wakeup = Wakeup.open(SYSCALLS, counters, EpollFd.open(SYSCALLS));
    } catch (SyscallException e) {
      throw new AssertionError(e);
    }
  }

  /** Whether a sleep was ended. Thread: an arbiter's. */
  final boolean hasWoken() {
    return counters.wakeups.sum() > 0;
  }
}
