package dev.epoll.fd;

import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A regular file, open to be sent to a stream by sendfile(2), as {@code StreamSocket.trySendFile}
 * does. It is always ready, so there is nothing to await; what else is to be done with files,
 * {@link java.nio.channels.FileChannel} does.
 *
 * <p>Thread: every method from any.
 */
public final class RegularFile implements Channel {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private final OwnedFd fd;
  private final Path path;

  private RegularFile(OwnedFd fd, Path path) {
    this.fd = fd;
    this.path = path;
  }

  /**
   * Opens {@code path} for reading.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws java.nio.file.AccessDeniedException if it may not be read
   * @throws FileSystemException if it is no regular file, such as a folder
   * @throws SyscallException EMFILE or ENFILE
   */
  public static RegularFile open(Path path) throws IOException {
    // Kernel: O_NONBLOCK, because opening a FIFO waits for its writer; it means nothing to a file.
    int number = OpenFile.open(path, Linux.O_RDONLY | Linux.O_NONBLOCK);
    OwnedFd fd = OwnedFd.owned(number);
    if (!Files.isRegularFile(Path.of("/proc/self/fd/" + number))) {
      fd.close();
      throw new FileSystemException(path.toString(), null, "is no regular file");
    }
    return new RegularFile(fd, path);
  }

  /**
   * The size of the file now, in bytes.
   *
   * @throws java.nio.channels.ClosedChannelException if it is closed
   */
  public long size() throws IOException {
    long size = lend(number -> SYSCALLS.lseek(number, 0, Linux.SEEK_END));
    if (size < 0) {
      throw new SyscallException("lseek", (int) -size, fd.number());
    }
    return size;
  }

  /** What is done with a descriptor that stays open meanwhile. */
  @FunctionalInterface
  public interface Use {
    /** Does it, and returns its result. */
    long on(int fd) throws IOException;
  }

  /**
   * Lends the descriptor to {@code use}, during which it stays open.
   *
   * @return what {@code use} returns
   * @throws java.nio.channels.ClosedChannelException if it is closed
   */
  public long lend(Use use) throws IOException {
    int number = fd.acquire();
    try {
      return use.on(number);
    } finally {
      fd.release();
    }
  }

  @Override
  public boolean isOpen() {
    return fd.isOpen();
  }

  /** Closes the file, once no call is under way on it. Further calls do nothing. */
  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return "RegularFile(" + path + ", " + fd + ")";
  }
}
