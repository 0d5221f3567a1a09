package dev.epoll.fd;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.Channel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A descriptor as the JDK's channels, for threads: try, wait, try again. */
final class BlockingChannel {
  private BlockingChannel() {}

  static int read(ByteSource source, ByteBuffer target) throws IOException {
    AwaitableFd.checkWritable(target);
    boolean awaitFirst = source.isDrained() && target.hasRemaining();
    while (true) {
      if (awaitFirst) {
        AwaitableFd.block(source.registration(), source::armRead);
      }
      int count = source.tryRead(target);
      if (count != 0 || !target.hasRemaining()) {
        return count;
      }
      awaitFirst = true;
    }
  }

  static int write(ByteSink sink, ByteBuffer source) throws IOException {
    int before = source.remaining();
    while (true) {
      int count = sink.tryWrite(source);
      if (!source.hasRemaining()) {
        return before;
      }
      if (count == 0) {
        try {
          AwaitableFd.block(sink.registration(), sink::armWrite);
        } catch (InterruptedIOException e) {
          e.bytesTransferred = before - source.remaining();
          throw e;
        }
      }
    }
  }

  abstract static class OfFd<T extends Channel> implements Channel {
    final T fd;

    OfFd(T fd) {
      this.fd = fd;
    }

    @Override
    public boolean isOpen() {
      return fd.isOpen();
    }

    @Override
    public void close() throws IOException {
      fd.close();
    }
  }

  static final class Source extends OfFd<ByteSource> implements ReadableByteChannel {
    Source(ByteSource fd) {
      super(fd);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      return BlockingChannel.read(fd, target);
    }
  }

  static final class Sink extends OfFd<ByteSink> implements WritableByteChannel {
    Sink(ByteSink fd) {
      super(fd);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      return BlockingChannel.write(fd, source);
    }
  }

  static final class Stream extends OfFd<ByteStream> implements ByteChannel {
    Stream(ByteStream fd) {
      super(fd);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      return BlockingChannel.read(fd, target);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      return BlockingChannel.write(fd, source);
    }
  }
}
