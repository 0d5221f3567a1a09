package dev.epoll;

import org.jspecify.annotations.Nullable;

/**
 * The combinations of flags that the kernel refuses with a bare EINVAL, refused here with the
 * reason.
 */
final class EpollFlags {
  private EpollFlags() {}

  // Kernel: EPOLLEXCLUSIVE_OK_BITS in fs/eventpoll.c.
  private static final EventMask ALLOWED_WITH_EXCLUSIVE =
      EventMask.IN
          .or(EventMask.OUT)
          .or(EventMask.ERR)
          .or(EventMask.HUP)
          .or(EventMask.WAKEUP)
          .or(EventMask.EDGE_TRIGGERED)
          .or(EventMask.EXCLUSIVE);

  static void check(EventMask mask) {
    EventMask refused = mask.without(ALLOWED_WITH_EXCLUSIVE);
    if (mask.contains(EventMask.EXCLUSIVE) && !refused.equals(EventMask.NONE)) {
      throw new IllegalArgumentException(
          mask
              + ": EXCLUSIVE goes with IN, OUT, ERR, HUP, WAKEUP and EDGE_TRIGGERED only, leave"
              + " out "
              + refused);
    }
  }

  static void checkTarget(int fd, EventMask mask) {
    if (mask.contains(EventMask.EXCLUSIVE) && EpollFd.pathOf(fd).equals("anon_inode:[eventpoll]")) {
      throw new IllegalArgumentException(
          mask + " on fd " + fd + ": an epoll set cannot be watched with EXCLUSIVE, leave it out");
    }
  }

  static void checkModify(EventMask mask) {
    if (mask.contains(EventMask.EXCLUSIVE)) {
      throw new IllegalArgumentException(
          mask + ": EXCLUSIVE can be given when adding only, remove the fd and add it again");
    }
  }

  static void checkModified(Epoll.@Nullable Entry entry) {
    if (entry != null && entry.mask().contains(EventMask.EXCLUSIVE)) {
      throw new IllegalArgumentException(
          "fd "
              + entry.fd()
              + " was added with EXCLUSIVE and cannot be modified: remove it and add it again");
    }
  }
}
