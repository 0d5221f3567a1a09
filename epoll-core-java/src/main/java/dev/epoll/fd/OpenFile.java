package dev.epoll.fd;

import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.FileNames;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** open(2), with the failures that the JDK has for paths. */
final class OpenFile {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private OpenFile() {}

  /** Opens {@code path} with {@code flags} and O_CLOEXEC, and returns the number. */
  static int open(Path path, int flags) throws IOException {
    int fd = call(FileNames.encode(path), flags | Linux.O_CLOEXEC);
    if (fd < 0) {
      throw failure(path, new SyscallException("open", -fd, -1, path.toString()));
    }
    return fd;
  }

  private static int call(byte[] path, int flags) {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      if (!FileNames.put(memory, path)) {
        return -Errno.ENAMETOOLONG.number;
      }
      int fd;
      do {
        fd = SYSCALLS.open(memory.address(), flags, 0);
      } while (Errno.EINTR.is(fd));
      return fd;
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** What the JDK throws for {@code path} where a call failed as {@code cause} says. */
  static IOException failure(Path path, SyscallException cause) {
    String file = path.toString();
    FileSystemException exception;
    switch (cause.errnoName()) {
      case "EMFILE", "ENFILE" -> {
        return cause;
      }
      case "ENOENT" -> exception = new NoSuchFileException(file);
      case "ENOTDIR" -> exception = new NotDirectoryException(file);
      case "EACCES" -> exception = new AccessDeniedException(file);
      default -> exception = new FileSystemException(file, null, Errno.text(cause.errno()));
    }
    exception.initCause(cause);
    return exception;
  }
}
