package dev.epoll;

import java.util.List;

/**
 * What a poller is doing, for people and for tests. Each part is consistent in itself; the parts
 * are read one after the other.
 *
 * @param name the poller's name, {@link PollerConfig#threadName}
 * @param state {@code OPEN}, {@code CLOSED} or {@code FAILED}
 * @param epollFd the epoll fd, whose list the kernel shows in {@code /proc/self/fdinfo}; -1 once
 *     the poller has ended
 * @param registrations the fds that are watched, in no order
 * @param timers scheduled tasks whose time has not come
 */
public record PollerSnapshot(
    String name, Poller.State state, int epollFd, List<Watched> registrations, int timers) {
  /**
   * One registration.
   *
   * @param fd the descriptor's number
   * @param armed what the kernel is armed to report; {@link EventMask#NONE} if nothing
   * @param waiters how many awaits are waiting
   */
  public record Watched(int fd, EventMask armed, int waiters) {}

  public PollerSnapshot {
    registrations = List.copyOf(registrations);
  }
}
