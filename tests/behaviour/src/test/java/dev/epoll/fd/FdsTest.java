package dev.epoll.fd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Shell;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** This JVM does not show the numbers of its fds; a child process does. */
class FdsTest {
  private static final String OPTION = "--add-opens java.base/sun.nio.ch=ALL-UNNAMED";

  @TempDir Path directory;

  private static void namesTheOption(org.junit.jupiter.api.function.Executable call) {
    IllegalStateException e = assertThrows(IllegalStateException.class, call);
    assertTrue(e.getMessage().endsWith(OPTION), e.getMessage());
  }

  @Test
  void withoutTheOptionTheErrorNamesIt() throws Exception {
    try (SocketChannel socket = SocketChannel.open();
        DatagramChannel datagrams = DatagramChannel.open();
        FileChannel file = FileChannel.open(Path.of("/dev/null"))) {
      namesTheOption(() -> Fds.of(socket));
      namesTheOption(() -> Fds.of(datagrams));
      namesTheOption(() -> Fds.of(file));
      namesTheOption(() -> Fds.of(FileDescriptor.in));
    }
  }

  @Test
  void whatIsClosedIsRefused() throws Exception {
    SocketChannel socket = SocketChannel.open();
    socket.close();
    assertThrows(ClosedChannelException.class, () -> Fds.of(socket));
    FileDescriptor descriptor;
    try (RandomAccessFile file = new RandomAccessFile("/dev/null", "r")) {
      descriptor = file.getFD();
    }
    IOException e = assertThrows(IOException.class, () -> Fds.of(descriptor));
    assertTrue(e.getMessage().contains("closed"), e.getMessage());
    assertThrows(IOException.class, () -> Fds.of(new FileDescriptor()));
  }

  @Test
  void aChannelThatIsNotOfTheJdkIsRefused() {
    Channel own =
        new Channel() {
          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        };
    var e = assertThrows(IllegalArgumentException.class, () -> Fds.of(own));
    assertTrue(e.getMessage().startsWith(own.getClass().getName()), e.getMessage());
  }

  @Test
  void standardStreamsHaveTheNumbersThatTheyAlwaysHave() throws Exception {
    assertEquals("0 1 2", inAJvmThatShows(FdsChild.Standard.class));
  }

  @Test
  void withTheOptionEveryKindHasItsNumber() throws Exception {
    Path file = directory.resolve("file");
    assertEquals(
        List.of(
            "SocketChannel socket:",
            "ServerSocketChannel socket:",
            "DatagramChannel socket:",
            "Pipe.SourceChannel pipe:",
            "Pipe.SinkChannel pipe:",
            "FileChannel " + file,
            "FileDescriptor " + file,
            "closed socket: ClosedChannelException",
            "awaited: READABLE, read: 3"),
        inAJvmThatShows(FdsChild.class, file.toString()).lines().toList());
  }

  private static String inAJvmThatShows(Class<?> main, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.addAll(List.of(OPTION.split(" ")));
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    if (Runtime.version().feature() >= 24) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("-Ddev.epoll.backend=" + System.getProperty("dev.epoll.backend", ""));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return Shell.output(command.toArray(String[]::new));
  }
}
