package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Registration;
import dev.epoll.Waiter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.WritableByteChannel;

/**
 * A descriptor that bytes can be written to. Who writes from several threads must see to the order.
 */
public interface ByteSink extends Channel {
  /** The registration to await {@link dev.epoll.Interest#WRITABLE} on. */
  Registration registration();

  /**
   * Writes what the descriptor takes, with one system call, and never waits.
   *
   * @return how many bytes; 0 if it takes none now, or {@code source} holds none
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   * @throws IOException if the write failed: {@link dev.epoll.SyscallException} EPIPE where nobody
   *     will read any more
   */
  int tryWrite(ByteBuffer source) throws IOException;

  /**
   * Starts an await of the next write that does not block, as {@link ByteSource#armRead}.
   *
   * @return false if the next write will most likely not block; then {@code waiter} will not be
   *     told
   * @throws IOException as {@link Registration#arm}
   */
  default boolean armWrite(Waiter waiter) throws IOException {
    registration().arm(Interest.WRITABLE, waiter);
    return true;
  }

  /**
   * The same descriptor for threads: writes wait until all is written. What else holds: {@link
   * ByteSource#blocking()}.
   */
  default WritableByteChannel blocking() {
    return new BlockingChannel.Sink(this);
  }
}
