package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Registration;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Prints what the kernel has open under the numbers that {@link Fds} gives. */
final class FdsChild {
  private FdsChild() {}

  public static void main(String[] arguments) throws Exception {
    Pipe pipe = Pipe.open();
    SocketChannel socket = SocketChannel.open();
    print("SocketChannel", Fds.of(socket));
    print("ServerSocketChannel", Fds.of(ServerSocketChannel.open()));
    print("DatagramChannel", Fds.of(DatagramChannel.open()));
    print("Pipe.SourceChannel", Fds.of(pipe.source()));
    print("Pipe.SinkChannel", Fds.of(pipe.sink()));
    RandomAccessFile file = new RandomAccessFile(arguments[0], "rw");
    try (FileChannel channel = FileChannel.open(Path.of(arguments[0]))) {
      print("FileChannel", Fds.of(channel));
      print("FileDescriptor", Fds.of(file.getFD()));
    }
    socket.close();
    System.out.println("closed socket: " + refusal(socket));
    pipe.source().configureBlocking(false);
    try (Poller poller = Poller.open();
        Registration registration = poller.register(Fds.of(pipe.source()))) {
      pipe.sink().write(ByteBuffer.allocate(3));
      boolean readable = registration.blockUntil(Interest.READABLE).isReadable();
      int count = pipe.source().read(ByteBuffer.allocate(10));
      System.out.println("awaited: " + (readable ? "READABLE" : "?") + ", read: " + count);
    }
  }

  private static void print(String kind, int fd) throws IOException {
    String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    System.out.println(kind + " " + file.replaceFirst("\\[\\d+]$", ""));
  }

  private static String refusal(Channel channel) throws IOException {
    try {
      return "fd " + Fds.of(channel);
    } catch (ClosedChannelException e) {
      return e.getClass().getSimpleName();
    }
  }

  /** Prints the numbers of the standard streams. */
  static final class Standard {
    private Standard() {}

    public static void main(String[] arguments) throws IOException {
      int in = Fds.of(FileDescriptor.in);
      int out = Fds.of(FileDescriptor.out);
      int err = Fds.of(FileDescriptor.err);
      if (in != Fds.STDIN || out != Fds.STDOUT || err != Fds.STDERR) {
        throw new AssertionError("the constants are others");
      }
      System.out.println(in + " " + out + " " + err);
    }
  }
}
