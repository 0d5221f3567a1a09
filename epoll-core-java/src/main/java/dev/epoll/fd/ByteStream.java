package dev.epoll.fd;

import java.nio.channels.ByteChannel;

/** A descriptor that bytes can be read from and written to. */
public interface ByteStream extends ByteSource, ByteSink {
  /**
   * The same descriptor for threads; see {@link ByteSource#blocking()} and {@link
   * ByteSink#blocking()}.
   */
  @Override
  default ByteChannel blocking() {
    return new BlockingChannel.Stream(this);
  }
}
