package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Linux;
import java.io.IOException;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;

/**
 * A Unix socket that accepts connections from this machine; see <a
 * href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>.
 *
 * <p>Thread: every method from any.
 */
public final class UnixListener extends ListenerSocket<UnixAddress, UnixStream> {
  /** Of a socket's file: its owner may connect, and nobody else but root. */
  public static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private UnixListener(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd, SocketTraits.UNIX);
  }

  @Override
  UnixStream accepted(Poller poller, OwnedFd fd) throws IOException {
    return new UnixStream(poller, fd);
  }

  /**
   * Listens on {@code local}, for its owner only, with {@link #DEFAULT_BACKLOG}. The file of a path
   * stays when the listener is closed, and must be deleted before the next one is bound to it.
   *
   * @throws java.net.BindException if there is a file of that name, or it may not be made
   */
  public static UnixListener bind(Poller poller, UnixAddress local) throws IOException {
    return bind(poller, local, DEFAULT_BACKLOG, OWNER_ONLY);
  }

  /**
   * The same with a backlog, and for those who have write permission. An abstract name has no
   * permissions. What the umask takes of {@code permissions} is given back by path: for more than
   * it leaves, take a folder in which nobody else may write.
   *
   * @throws java.net.BindException if there is a file of that name, or it may not be made
   */
  public static UnixListener bind(
      Poller poller, UnixAddress local, int backlog, Set<PosixFilePermission> permissions)
      throws IOException {
    Objects.requireNonNull(permissions, "permissions");
    checkBacklog(backlog);
    OwnedFd fd =
        SocketCalls.open(
            Linux.AF_UNIX,
            Linux.SOCK_STREAM,
            number -> {
              UnixFiles.bind(local, permissions, number);
              try {
                SocketCalls.listen(local, backlog, number);
              } catch (Throwable e) {
                UnixFiles.deleteAfter(e, local);
                throw e;
              }
            });
    try {
      return new UnixListener(poller, fd);
    } catch (Throwable e) {
      UnixFiles.deleteAfter(e, local);
      throw e;
    }
  }

  /**
   * Takes over a listener that somebody else made, such as one of {@link InheritedSockets}: makes
   * it non-blocking and close-on-exec, and closes it when closed.
   *
   * @throws IllegalArgumentException if {@code fd} is anything else; it is left as it was
   * @throws SyscallException EBADF if it is not open; or as {@link Poller#register}, and it is
   *     closed
   */
  public static UnixListener adopt(Poller poller, int fd) throws IOException {
    return new UnixListener(poller, SocketKind.UNIX_LISTENER.adopt(fd));
  }
}
