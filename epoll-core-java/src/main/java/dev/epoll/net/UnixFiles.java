package dev.epoll.net;

import dev.epoll.sys.Backend;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/** The files of Unix sockets that are bound to a path. */
final class UnixFiles {
  private UnixFiles() {}

  /** Binds {@code fd}; a file that comes of it never has more than {@code permissions}. */
  static void bind(UnixAddress local, Set<PosixFilePermission> permissions, int fd)
      throws IOException {
    Optional<Path> path = local.path();
    if (path.isEmpty()) {
      SocketCalls.bind(AddressFormat.UNIX, local, fd);
      return;
    }
    // Kernel: bind(2) makes the file with the mode of the socket's own inode, less the umask, so
    // that nobody can connect in between who may not.
    SocketFd.check("fchmod", Backend.syscalls().fchmod(fd, mode(permissions)), fd);
    SocketCalls.bind(AddressFormat.UNIX, local, fd);
    try {
      undoUmask(path.get(), permissions);
    } catch (Throwable e) {
      deleteAfter(e, local);
      throw e;
    }
  }

  /**
   * Gives back what the umask took of {@code permissions}. Only then is there a call that follows
   * symbolic links: where others may replace the file in between, it would reach another one.
   */
  private static void undoUmask(Path socket, Set<PosixFilePermission> permissions)
      throws IOException {
    PosixFileAttributes made = attributes(socket);
    if (!made.isOther()) {
      throw new FileSystemException(socket.toString(), null, "is not the socket that was bound");
    }
    if (!made.permissions().equals(permissions)) {
      Files.setPosixFilePermissions(socket, permissions);
    }
  }

  /** Deletes the file that a bind would leave behind which ended with {@code failure}. */
  static void deleteAfter(Throwable failure, UnixAddress local) {
    try {
      Optional<Path> path = local.path();
      if (path.isPresent() && attributes(path.get()).isOther()) {
        Files.delete(path.get());
      }
    } catch (NoSuchFileException gone) {
      // Then nothing is left behind.
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** Of the file itself, not of one that it is a link to. */
  private static PosixFileAttributes attributes(Path file) throws IOException {
    return Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  private static int mode(Set<PosixFilePermission> permissions) {
    int mode = 0;
    for (char permission : PosixFilePermissions.toString(permissions).toCharArray()) {
      mode = mode << 1 | (permission == '-' ? 0 : 1);
    }
    return mode;
  }
}
