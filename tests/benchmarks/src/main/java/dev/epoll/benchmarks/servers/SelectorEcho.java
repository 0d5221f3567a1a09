package dev.epoll.benchmarks.servers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** The JDK's selector on one thread, with no framework. */
public final class SelectorEcho {
  private final Selector selector = Selector.open();
  private final ServerSocketChannel listener = ServerSocketChannel.open();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(16 * 1024);

  private SelectorEcho() throws IOException {}

  /** Serves until it is killed. */
  public static void main(String[] arguments) throws IOException {
    new SelectorEcho().serve();
  }

  private void serve() throws IOException {
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4096);
    listener.configureBlocking(false);
    SelectionKey unused = listener.register(selector, SelectionKey.OP_ACCEPT);
    System.out.println(
        "listening on " + ((InetSocketAddress) listener.getLocalAddress()).getPort());
    while (true) {
      selector.select(this::serve);
    }
  }

  private void serve(SelectionKey key) {
    try {
      if (key.isAcceptable()) {
        acceptAll();
      } else {
        answer((SocketChannel) key.channel());
      }
    } catch (IOException e) {
      System.err.println("a connection ended early: " + e.getMessage());
    }
  }

  private void acceptAll() throws IOException {
    SocketChannel connection;
    while ((connection = listener.accept()) != null) {
      connection.configureBlocking(false);
      connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
      SelectionKey unused = connection.register(selector, SelectionKey.OP_READ);
    }
  }

  private void answer(SocketChannel connection) throws IOException {
    buffer.clear();
    if (connection.read(buffer) < 0) {
      connection.close();
      return;
    }
    connection.write(buffer.flip());
    if (buffer.hasRemaining()) {
      // The peer doesn't read: nothing that is measured.
      connection.close();
    }
  }
}
