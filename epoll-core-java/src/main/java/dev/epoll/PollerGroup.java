package dev.epoll;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Several pollers, such as one for each core. Each descriptor stays with the one that it was opened
 * with, so nothing is shared between them on the way of a byte.
 *
 * <p>Connections come to them in one of two ways: by a listener for each poller, all on one port by
 * {@link java.net.StandardSocketOptions#SO_REUSEPORT}, among which the kernel shares connections
 * out by their addresses; or by one listener that hands connections round, each accepted with
 * {@link #next()}.
 *
 * <p>Thread: every method from any.
 */
public final class PollerGroup implements AutoCloseable {
  private final List<Poller> pollers;
  private final AtomicInteger taken = new AtomicInteger();

  private PollerGroup(List<Poller> pollers) {
    this.pollers = List.copyOf(pollers);
  }

  /**
   * As many pollers as this process may use processors.
   *
   * @throws SyscallException EMFILE or ENFILE: each needs two descriptors; none stays open
   */
  public static PollerGroup open() throws IOException {
    return open(Runtime.getRuntime().availableProcessors(), PollerConfig.defaults());
  }

  /**
   * {@code count} pollers, whose threads are called as {@code config} says, with a number each.
   *
   * @throws IllegalArgumentException if {@code count} is not positive
   * @throws SyscallException EMFILE or ENFILE: each needs two descriptors; none stays open
   */
  public static PollerGroup open(int count, PollerConfig config) throws IOException {
    if (count < 1) {
      throw new IllegalArgumentException("count is " + count + ": give 1 or more");
    }
    List<Poller> opened = new ArrayList<>(count);
    try {
      for (int i = 1; i <= count; i++) {
        opened.add(Poller.open(config.withThreadName(config.threadName() + "-" + i)));
      }
      return new PollerGroup(opened);
    } catch (Throwable e) {
      opened.forEach(Poller::close);
      throw e;
    }
  }

  /** The pollers, always in the same order. */
  public List<Poller> pollers() {
    return pollers;
  }

  /** Each poller in turn. */
  public Poller next() {
    return pollers.get(Math.floorMod(taken.getAndIncrement(), pollers.size()));
  }

  /**
   * Closes all pollers; see {@link Poller#close()}. Returns when all have ended, except on the
   * thread of one of them, where it returns at once.
   */
  @Override
  public void close() {
    pollers.forEach(Poller::beginClose);
    // Two of them that waited for each other would wait for ever.
    if (pollers.stream().noneMatch(Poller::inPollerThread)) {
      pollers.forEach(Poller::close);
    }
  }

  @Override
  public String toString() {
    return "PollerGroup" + pollers;
  }
}
