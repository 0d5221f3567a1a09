package dev.epoll.examples;

import dev.epoll.net.TcpListener;
import dev.epoll.net.TcpStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;

/** Sends back what it is sent: plain blocking code, with a virtual thread for each connection. */
final class VirtualEcho {
  private final LongAdder served = new LongAdder();
  private final LongAdder bytes = new LongAdder();

  /** Serves until {@code listener} is closed; then the connections that are left are closed too. */
  void serve(TcpListener listener) throws IOException {
    var accepting = listener.blocking();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        while (true) {
          TcpStream stream = accepting.accept();
          threads.execute(() -> serve(stream));
        }
      } catch (ClosedChannelException listenerIsClosed) {
        threads.shutdownNow();
      }
    }
  }

  private void serve(TcpStream stream) {
    served.increment();
    try (ByteChannel channel = stream.blocking()) {
      echo(channel);
    } catch (InterruptedIOException serverEnds) {
      // The connection is closed by now, and that is all there is to do.
    } catch (IOException e) {
      System.err.println("a connection ended early: " + e.getMessage());
    }
  }

  private void echo(ByteChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
    while (channel.read(buffer) >= 0) {
      bytes.add(buffer.flip().remaining());
      channel.write(buffer);
      buffer.clear();
    }
  }

  long served() {
    return served.sum();
  }

  long bytes() {
    return bytes.sum();
  }
}
