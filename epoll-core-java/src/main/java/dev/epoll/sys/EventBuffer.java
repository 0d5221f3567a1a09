package dev.epoll.sys;

/**
 * Native memory that epoll_wait(2) fills with events, and the timeout that epoll_pwait2(2) reads.
 * Read in place, so that a wait and the reading of its events allocate nothing.
 *
 * <p>Thread: one at a time, the one that waits.
 */
public final class EventBuffer {
  private final NativeMemory events;
  private final NativeMemory timespec;
  private final int capacity;

  /** A buffer for up to {@code capacity} events. */
  public EventBuffer(Syscalls syscalls, int capacity) {
    this.capacity = capacity;
    this.events = NativeMemory.allocate(syscalls, Math.multiplyExact(capacity, EpollEvent.SIZE));
    this.timespec = NativeMemory.allocate(syscalls, 2 * Long.BYTES);
  }

  /** How many events one wait can return. */
  public int capacity() {
    return capacity;
  }

  /** The address to pass as {@code events}; this object must stay reachable during the call. */
  public long address() {
    return events.address();
  }

  /** Event bits of event {@code index}. */
  public int events(int index) {
    return EpollEvent.events(events.buffer(), index);
  }

  /** User data of event {@code index}. */
  public long data(int index) {
    return EpollEvent.data(events.buffer(), index);
  }

  /** Stores a timeout as a {@code struct timespec} and returns its address. */
  public long timespec(long nanos) {
    timespec.buffer().putLong(0, nanos / 1_000_000_000L);
    timespec.buffer().putLong(Long.BYTES, nanos % 1_000_000_000L);
    return timespec.address();
  }
}
