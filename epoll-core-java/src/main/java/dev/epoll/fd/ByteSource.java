package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Registration;
import dev.epoll.Waiter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.ReadableByteChannel;

/**
 * A descriptor that bytes can be read from. Several threads may read, and share the bytes between
 * them.
 */
public interface ByteSource extends Channel {
  /** The registration to await {@link dev.epoll.Interest#READABLE} on. */
  Registration registration();

  /**
   * Reads what is there, with one system call, and never waits.
   *
   * @return how many bytes; 0 if there are none now, or {@code target} has no room; -1 at the end
   *     of the stream
   * @throws IllegalArgumentException if {@code target} is read-only
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   * @throws IOException if the read failed
   */
  int tryRead(ByteBuffer target) throws IOException;

  /**
   * Starts an await of the next read that does not block, on {@link #registration()}. A descriptor
   * that knows what its reads returned may find that there is nothing to wait for, or spare the
   * system call that {@link Registration#arm} costs.
   *
   * @return false if the next read will most likely not block; then {@code waiter} will not be told
   * @throws IOException as {@link Registration#arm}
   */
  default boolean armRead(Waiter waiter) throws IOException {
    registration().arm(Interest.READABLE, waiter);
    return true;
  }

  /**
   * Whether the last read found less than it had room for and nothing is known to have come since,
   * so that the next would most likely find nothing: then awaiting first saves a system call. Only
   * ever a hint.
   */
  default boolean isDrained() {
    return false;
  }

  /**
   * The same descriptor for threads: reads wait. A virtual thread that waits leaves its carrier to
   * others.
   *
   * <p>A wait that is interrupted ends with {@link java.io.InterruptedIOException}, the interrupt
   * status set; the descriptor stays open. One that {@link #close()} ends, with a {@link
   * java.nio.channels.ClosedChannelException}. Closing the channel closes the descriptor.
   */
  default ReadableByteChannel blocking() {
    return new BlockingChannel.Source(this);
  }
}
