package dev.epoll.fd;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A pipe, both ends non-blocking and close-on-exec; see <a
 * href="https://man7.org/linux/man-pages/man7/pipe.7.html">pipe(7)</a>. What is written to {@link
 * #sink()} can be read from {@link #source()}.
 */
public final class Pipe implements AutoCloseable {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private final Source source;
  private final Sink sink;

  private Pipe(Source source, Sink sink) {
    this.source = source;
    this.sink = sink;
  }

  /**
   * A new pipe.
   *
   * @throws SyscallException EMFILE or ENFILE: it needs two descriptors
   * @throws IOException as {@link Poller#register}
   */
  public static Pipe open(Poller poller) throws IOException {
    int readEnd;
    int writeEnd;
    NativeMemory fds = ScratchMemory.take(SYSCALLS);
    try {
      int result = SYSCALLS.pipe2(fds.address(), Linux.O_CLOEXEC | Linux.O_NONBLOCK);
      if (result < 0) {
        throw new SyscallException("pipe2", -result, -1);
      }
      readEnd = fds.buffer().getInt(0);
      writeEnd = fds.buffer().getInt(Integer.BYTES);
    } finally {
      ScratchMemory.giveBack(fds);
    }
    OwnedFd sinkFd = OwnedFd.owned(writeEnd);
    Source source;
    try {
      source = new Source(poller, OwnedFd.owned(readEnd));
    } catch (Throwable e) {
      sinkFd.close();
      throw e;
    }
    try {
      return new Pipe(source, new Sink(poller, sinkFd));
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  /** The end to read from. It ends when every copy of the other is closed. */
  public Source source() {
    return source;
  }

  /** The end to write to. Writing fails with EPIPE when every copy of the other is closed. */
  public Sink sink() {
    return sink;
  }

  /** Closes both ends. */
  @Override
  public void close() {
    sink.close();
    source.close();
  }

  /** The end of a pipe to read from. */
  public static final class Source extends AwaitableFd implements ByteSource {
    private Source(Poller poller, OwnedFd fd) throws IOException {
      super(poller, fd);
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
      return readInto(target, "read", SYSCALLS::read);
    }

    @Override
    public boolean isDrained() {
      return drained();
    }
  }

  /** The end of a pipe to write to. */
  public static final class Sink extends AwaitableFd implements ByteSink {
    private Sink(Poller poller, OwnedFd fd) throws IOException {
      super(poller, fd);
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
      return writeFrom(source, source.remaining(), "write", SYSCALLS::write);
    }
  }
}
