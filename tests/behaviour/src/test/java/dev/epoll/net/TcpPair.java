package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.testing.PollerKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Two ends of one connection over the loopback interface, on a poller of their own. */
record TcpPair(Poller poller, TcpListener listener, TcpStream client, TcpStream server)
    implements AutoCloseable {
  static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  static TcpPair open() throws Exception {
    return open(PollerKind.DEDICATED);
  }

  static TcpPair open(PollerKind kind) throws Exception {
    return open(kind, TcpOptions.none());
  }

  /** Both ends made with {@code options}. */
  static TcpPair open(TcpOptions options) throws Exception {
    return open(PollerKind.DEDICATED, options);
  }

  private static TcpPair open(PollerKind kind, TcpOptions options) throws Exception {
    Poller poller = kind.open();
    TcpListener listener =
        TcpListener.bind(poller, anyPort(), TcpListener.DEFAULT_BACKLOG, options);
    TcpStream client = TcpStream.connect(poller, listener.localAddress(), options, null);
    return new TcpPair(poller, listener, client, accept(listener));
  }

  static TcpStream accept(TcpListener listener) throws IOException, InterruptedException {
    TcpStream stream = listener.tryAccept();
    while (stream == null) {
      listener.registration().blockUntil(Interest.READABLE);
      stream = listener.tryAccept();
    }
    return stream;
  }

  @Override
  public void close() {
    client.close();
    server.close();
    listener.close();
    poller.close();
  }
}
