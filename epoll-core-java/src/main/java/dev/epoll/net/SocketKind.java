package dev.epoll.net;

import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.util.Arrays;

/** What a socket is that somebody else made, by what the kernel says of it. */
enum SocketKind {
  TCP_LISTENER("TCP listener", true, Linux.SOCK_STREAM, true),
  TCP_STREAM("TCP connection", true, Linux.SOCK_STREAM, false),
  UNIX_LISTENER("Unix listener", false, Linux.SOCK_STREAM, true),
  UNIX_STREAM("Unix stream", false, Linux.SOCK_STREAM, false),
  UDP("UDP socket", true, Linux.SOCK_DGRAM, false),
  UNIX_DATAGRAM("Unix datagram socket", false, Linux.SOCK_DGRAM, false);

  private static final Syscalls SYSCALLS = Backend.syscalls();

  private final String text;
  private final boolean isInternet;
  private final int type;
  private final boolean accepts;

  SocketKind(String text, boolean isInternet, int type, boolean accepts) {
    this.text = text;
    this.isInternet = isInternet;
    this.type = type;
    this.accepts = accepts;
  }

  private boolean is(int domain, int type, boolean accepts) {
    boolean isOfDomain =
        isInternet ? domain == Linux.AF_INET || domain == Linux.AF_INET6 : domain == Linux.AF_UNIX;
    return isOfDomain && this.type == type && this.accepts == accepts;
  }

  /**
   * Takes over {@code fd}, makes it non-blocking and close-on-exec.
   *
   * @throws IllegalArgumentException if it is not of this kind; then it is left as it was
   * @throws SyscallException EBADF
   */
  OwnedFd adopt(int fd) throws SyscallException {
    int domain = SocketCalls.getInt(fd, Linux.SOL_SOCKET, Linux.SO_DOMAIN);
    if (domain < 0 && !Errno.ENOTSOCK.is(domain)) {
      throw new SyscallException("getsockopt", -domain, fd);
    }
    int actualType = SocketCalls.getInt(fd, Linux.SOL_SOCKET, Linux.SO_TYPE);
    boolean actuallyAccepts = SocketCalls.getInt(fd, Linux.SOL_SOCKET, Linux.SO_ACCEPTCONN) > 0;
    if (!is(domain, actualType, actuallyAccepts)) {
      String actual =
          Arrays.stream(values())
              .filter(kind -> kind.is(domain, actualType, actuallyAccepts))
              .map(kind -> "it is a " + kind.text)
              .findFirst()
              .orElse(domain < 0 ? "it is no socket" : "it is another kind of socket");
      throw new IllegalArgumentException("fd " + fd + " is no " + text + ": " + actual);
    }
    int flags = SYSCALLS.fcntl(fd, Linux.F_GETFL, 0);
    SocketFd.check("fcntl(F_GETFL)", flags, fd);
    int set = SYSCALLS.fcntl(fd, Linux.F_SETFL, flags | Linux.O_NONBLOCK);
    SocketFd.check("fcntl(F_SETFL)", set, fd);
    SocketFd.check("fcntl(F_SETFD)", SYSCALLS.fcntl(fd, Linux.F_SETFD, Linux.FD_CLOEXEC), fd);
    return OwnedFd.owned(fd);
  }
}
