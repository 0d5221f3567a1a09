package dev.epoll;

import dev.epoll.sys.EventBuffer;
import java.util.Objects;

/**
 * The events that the last {@link Epoll#waitForEvents()} brought, read in place from the memory
 * that the kernel wrote. Valid until the next wait on the same {@link Epoll}. Reading allocates
 * nothing.
 *
 * <p>Thread: the one that waits.
 */
public final class ReadyEvents {
  /** Takes one event. */
  @FunctionalInterface
  public interface Consumer {
    /**
     * Called once per event.
     *
     * @param mask the event bits, see {@link EventMask}
     * @param data the 64 bits that the fd was added or last modified with
     */
    void accept(int mask, long data);
  }

  private final EventBuffer events;
  private int size;
  private boolean iterating;

  ReadyEvents(EventBuffer events) {
    this.events = events;
  }

  /** How many events there are. */
  public int size() {
    return size;
  }

  /** The event bits of event {@code index}, see {@link EventMask}. */
  public int mask(int index) {
    return events.events(Objects.checkIndex(index, size));
  }

  /** The 64 bits that the fd of event {@code index} was added or last modified with. */
  public long data(int index) {
    return events.data(Objects.checkIndex(index, size));
  }

  /** Hands every event to {@code consumer}, which must not wait on the same {@link Epoll}. */
  public void forEach(Consumer consumer) {
    boolean nested = iterating;
    iterating = true;
    try {
      for (int i = 0; i < size; i++) {
        consumer.accept(events.events(i), events.data(i));
      }
    } finally {
      iterating = nested;
    }
  }

  /** Called by the waiting thread before it hands the memory to the kernel. */
  void clear() {
    if (iterating) {
      throw new IllegalStateException(
          "waitForEvents was called from inside forEach of the same Epoll");
    }
    size = 0;
  }

  void filled(int count) {
    size = count;
  }
}
