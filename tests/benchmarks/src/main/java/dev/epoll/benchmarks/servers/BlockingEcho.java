package dev.epoll.benchmarks.servers;

import dev.epoll.Poller;
import dev.epoll.PollerConfig;
import dev.epoll.PollerDriver;
import dev.epoll.net.TcpListener;
import dev.epoll.net.TcpOptions;
import dev.epoll.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** This library's blocking channels, with a virtual thread for each connection. */
@Command(name = "BlockingEcho")
public final class BlockingEcho implements Runnable {
  private final Executor threads = Executors.newVirtualThreadPerTaskExecutor();

  @Option(names = "--poller", description = "a thread of its own, or rounds on a virtual thread")
  private Polling polling = Polling.own;

  @Override
  public void run() {
    TcpOptions options = TcpOptions.none().with(StandardSocketOptions.TCP_NODELAY, true);
    try (Poller poller = open();
        TcpListener listener =
            TcpListener.bind(
                poller,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                4096,
                options)) {
      System.out.println("listening on " + listener.localAddress().getPort());
      var connections = listener.blocking();
      while (true) {
        TcpStream stream = connections.accept();
        threads.execute(() -> answer(stream));
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Poller open() throws IOException {
    return polling == Polling.own
        ? Poller.open()
        : Poller.open(PollerConfig.defaults(), PollerDriver.virtualThread());
  }

  private static void answer(TcpStream stream) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1024);
    try (ByteChannel channel = stream.blocking()) {
      while (channel.read(buffer.clear()) >= 0) {
        channel.write(buffer.flip());
      }
    } catch (IOException e) {
      System.err.println("a connection ended early: " + e.getMessage());
    }
  }

  /** Serves until it is killed. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new BlockingEcho()).execute(arguments));
  }
}
