package dev.epoll.net;

import dev.epoll.SyscallException;
import dev.epoll.sys.Errno;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.SocketException;

/** Failures of sockets in the JDK's own types; the errno is in the cause. */
final class SocketExceptions {
  private SocketExceptions() {}

  static IOException ofConnect(int errno, int fd, SocketAddress remote) {
    String text = Errno.text(errno) + ": " + remote;
    SocketException exception =
        Errno.EHOSTUNREACH.is(-errno)
            ? new NoRouteToHostException(text)
            : new ConnectException(text);
    exception.initCause(new SyscallException("connect", errno, fd));
    return exception;
  }

  static IOException ofBind(String call, int errno, int fd, SocketAddress local) {
    BindException exception = new BindException(Errno.text(errno) + ": " + local);
    exception.initCause(new SyscallException(call, errno, fd));
    return exception;
  }

  /**
   * Of a call on a datagram socket. Kernel: what ICMP says of an earlier datagram is the failure of
   * the next call (udp(7)); on a Unix socket ECONNREFUSED means that nobody has the address now.
   */
  static IOException ofDatagram(SyscallException failure, boolean isUnix) {
    String text = failure.getMessage();
    IOException exception;
    if (failure.errno() == Errno.ECONNREFUSED.number) {
      exception = isUnix ? new ConnectException(text) : new PortUnreachableException(text);
    } else if (failure.errno() == Errno.EHOSTUNREACH.number
        || failure.errno() == Errno.ENETUNREACH.number) {
      exception = new NoRouteToHostException(text);
    } else {
      return failure;
    }
    exception.initCause(failure);
    return exception;
  }
}
