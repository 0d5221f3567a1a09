package dev.epoll.net;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Addresses that are connected to in turn, until one takes the connection.
 *
 * <p>Thread: one at a time.
 */
public final class ConnectAttempts {
  private final Iterator<InetSocketAddress> remotes;
  private @Nullable IOException failure;

  /**
   * Attempts at each of {@code remotes}.
   *
   * @throws IllegalArgumentException if there is none
   */
  public ConnectAttempts(List<InetSocketAddress> remotes) {
    if (remotes.isEmpty()) {
      throw new IllegalArgumentException("there is no address to connect to: give one or more");
    }
    this.remotes = List.copyOf(remotes).iterator();
  }

  /** The address to try now. */
  public InetSocketAddress next() {
    return remotes.next();
  }

  /**
   * Says that the attempt failed with {@code e}.
   *
   * @throws IOException {@code e}, if there is no other address, or if it was not the address that
   *     failed but the thread was interrupted
   */
  public void failed(IOException e) throws IOException {
    if (failure != null) {
      e.addSuppressed(failure);
    }
    failure = e;
    boolean isInterrupt =
        e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException);
    if (isInterrupt || !remotes.hasNext()) {
      throw e;
    }
  }
}
