package dev.epoll.net;

import dev.epoll.sys.Backend;
import dev.epoll.sys.SocketMessage;
import java.util.ArrayDeque;
import java.util.NoSuchElementException;
import java.util.Queue;

/**
 * Descriptors that came with messages on a Unix socket, in their order. Those that are not taken
 * are closed by {@link #close()}. All are close-on-exec.
 *
 * <p>Thread: one at a time.
 */
public final class ReceivedFds implements AutoCloseable {
  private final int capacity;
  private final Queue<Integer> fds = new ArrayDeque<>();
  private boolean lost;

  /**
   * Room for {@code capacity} descriptors a message; what comes beyond, the kernel closes.
   *
   * @throws IllegalArgumentException unless {@code capacity} is 1 to 253, as many as Linux sends
   */
  public ReceivedFds(int capacity) {
    if (capacity < 1 || capacity > SocketMessage.MAX_FDS) {
      throw new IllegalArgumentException(
          "capacity is " + capacity + ": give 1 to " + SocketMessage.MAX_FDS);
    }
    this.capacity = capacity;
  }

  int capacity() {
    return capacity;
  }

  void add(int[] received, boolean lostSome) {
    for (int fd : received) {
      fds.add(fd);
    }
    lost |= lostSome;
  }

  /** How many are there to be taken. */
  public int size() {
    return fds.size();
  }

  /** Whether a message brought more than there was room for, or this process has numbers for. */
  public boolean hasLostSome() {
    return lost;
  }

  /**
   * Takes the next one, which is the caller's to close from now on: {@link dev.epoll.fd.RawFd#own}
   * does, and the {@code adopt} of each kind of socket.
   *
   * @throws NoSuchElementException if there is none
   */
  public int take() {
    return fds.remove();
  }

  /** Closes those that were not taken. */
  @Override
  public void close() {
    for (Integer fd = fds.poll(); fd != null; fd = fds.poll()) {
      // Kernel: the number is free whatever close(2) returns.
      int ignored = Backend.syscalls().close(fd);
    }
  }

  @Override
  public String toString() {
    return "ReceivedFds(" + fds + ")";
  }
}
