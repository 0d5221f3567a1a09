package dev.epoll.net;

import dev.epoll.SyscallException;
import dev.epoll.sys.Errno;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketException;

/** Failures of connect and bind in the JDK's own types; the errno is in the cause. */
final class SocketExceptions {
  private SocketExceptions() {}

  static IOException ofConnect(int errno, int fd, InetSocketAddress remote) {
    String text = Errno.text(errno) + ": " + remote;
    SocketException exception =
        Errno.EHOSTUNREACH.is(-errno)
            ? new NoRouteToHostException(text)
            : new ConnectException(text);
    exception.initCause(new SyscallException("connect", errno, fd));
    return exception;
  }

  static IOException ofBind(String call, int errno, int fd, InetSocketAddress local) {
    BindException exception = new BindException(Errno.text(errno) + ": " + local);
    exception.initCause(new SyscallException(call, errno, fd));
    return exception;
  }
}
