package dev.epoll.net;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Linux;
import java.io.IOException;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * A Unix socket of messages within this machine, none of which is lost or overtaken; see <a
 * href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>.
 *
 * <p>Thread: every method from any.
 */
public final class UnixDatagramSocket extends DatagramEndpoint<UnixAddress> {
  private UnixDatagramSocket(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd, SocketTraits.UNIX);
  }

  @Override
  boolean isUnix() {
    return true;
  }

  /**
   * A socket without a name: it can send, and nobody can answer it.
   *
   * @throws SyscallException EMFILE or ENFILE
   */
  public static UnixDatagramSocket open(Poller poller) throws IOException {
    return new UnixDatagramSocket(
        poller, SocketCalls.open(Linux.AF_UNIX, Linux.SOCK_DGRAM, fd -> {}));
  }

  /**
   * A socket with the name {@code local}, to which its owner only may send. {@link
   * UnixAddress#unnamed()} lets the kernel choose an abstract name. The file of a path stays when
   * the socket is closed, and must be deleted before the next one is bound to it.
   *
   * @throws java.net.BindException if there is a file of that name, or it may not be made
   */
  public static UnixDatagramSocket bind(Poller poller, UnixAddress local) throws IOException {
    return bind(poller, local, UnixListener.OWNER_ONLY);
  }

  /**
   * The same, for those who have write permission. An abstract name has no permissions. What the
   * umask takes of {@code permissions} is given back by path: for more than it leaves, take a
   * folder in which nobody else may write.
   *
   * @throws java.net.BindException if there is a file of that name, or it may not be made
   */
  public static UnixDatagramSocket bind(
      Poller poller, UnixAddress local, Set<PosixFilePermission> permissions) throws IOException {
    OwnedFd fd =
        SocketCalls.open(
            Linux.AF_UNIX, Linux.SOCK_DGRAM, number -> UnixFiles.bind(local, permissions, number));
    try {
      return new UnixDatagramSocket(poller, fd);
    } catch (Throwable e) {
      UnixFiles.deleteAfter(e, local);
      throw e;
    }
  }

  /**
   * Takes over a socket that somebody else made: makes it non-blocking and close-on-exec, and
   * closes it when closed.
   *
   * @throws IllegalArgumentException if {@code fd} is anything else; it is left as it was
   * @throws SyscallException EBADF if it is not open; or as {@link Poller#register}, and it is
   *     closed
   */
  public static UnixDatagramSocket adopt(Poller poller, int fd) throws IOException {
    return new UnixDatagramSocket(poller, SocketKind.UNIX_DATAGRAM.adopt(fd));
  }

  /**
   * Sends only to {@code remote} from now on, and receives only from it. May be called again, for
   * another one.
   *
   * @return this socket
   * @throws java.net.ConnectException if nobody has that name, or this process may not send to it
   */
  public UnixDatagramSocket connect(UnixAddress remote) throws IOException {
    connectTo(remote);
    return this;
  }
}
