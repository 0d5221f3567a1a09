package dev.epoll.net;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.net.InheritedSockets.Inherited;
import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InheritedSocketsTest {
  /** Makes a listener, passes it as fd 3 as systemd does, and becomes the command behind it. */
  private static final String LAUNCHER =
      """
      use IO::Socket::INET; use POSIX;
      my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die $!;
      print $socket->sockport, "\\n"; STDOUT->flush;
      POSIX::dup2(fileno($socket), 3) unless fileno($socket) == 3;
      $^F = 3; fcntl($socket, 2, 0);
      $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDNAMES} = 'web';
      exec @ARGV or die $!;
      """;

  private static Map<String, String> environment(String... pairs) {
    Map<String, String> environment = new java.util.HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      environment.put(pairs[i], pairs[i + 1]);
    }
    return environment;
  }

  @Test
  void theEnvironmentSaysWhichSocketsWerePassed() {
    assertEquals(List.of(), InheritedSockets.of(Map.of(), 7));
    assertEquals(
        List.of(), InheritedSockets.of(environment("LISTEN_FDS", "2", "LISTEN_PID", "8"), 7));
    assertEquals(
        List.of(new Inherited(3, ""), new Inherited(4, "")),
        InheritedSockets.of(environment("LISTEN_FDS", "2", "LISTEN_PID", "7"), 7));
    assertEquals(
        List.of(new Inherited(3, "web"), new Inherited(4, ""), new Inherited(5, "")),
        InheritedSockets.of(
            environment("LISTEN_FDS", "3", "LISTEN_PID", "7", "LISTEN_FDNAMES", "web:"), 7));
  }

  @Test
  void aMalformedEnvironmentIsAnErrorThatNamesIt() {
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> InheritedSockets.of(environment("LISTEN_FDS", "x", "LISTEN_PID", "7"), 7));
    assertTrue(e.getMessage().contains("LISTEN_FDS=x"), e::getMessage);
    for (String count : new String[] {"2147483647", "4294967295"}) {
      var tooMany = environment("LISTEN_FDS", count, "LISTEN_PID", "7");
      assertThrows(IllegalStateException.class, () -> InheritedSockets.of(tooMany, 7), count);
    }
  }

  /** Runs in a process of its own: greets one client on the listener that was passed. */
  static final class Service {
    public static void main(String[] arguments) throws Exception {
      Inherited inherited = InheritedSockets.passed().get(0);
      try (Poller poller = Poller.open();
          TcpListener listener = TcpListener.adopt(poller, inherited.fd());
          TcpStream client = listener.blocking().accept()) {
        client.blocking().write(ByteBuffer.wrap(inherited.name().getBytes(UTF_8)));
      }
    }
  }

  /** Runs in a process of its own: greets the connection that is its standard input. */
  static final class OfInetd {
    public static void main(String[] arguments) throws Exception {
      try (Poller poller = Poller.open();
          TcpStream client = TcpStream.adopt(poller, 0)) {
        ByteBuffer target = ByteBuffer.allocate(100);
        while (client.blocking().read(target) >= 0) {
          client.blocking().write(target.flip());
          target.clear();
        }
      }
    }
  }

  private static List<String> java(Class<?> main) {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    if (Runtime.version().feature() >= 24) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("-Ddev.epoll.backend=" + System.getProperty("dev.epoll.backend"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    return command;
  }

  @Test
  void aServiceServesOnTheListenerThatSystemdPasses() throws Exception {
    List<String> command = new ArrayList<>(List.of("perl", "-e", LAUNCHER));
    command.addAll(java(Service.class));
    Process service =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader out = service.inputReader();
        Socket client =
            new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(out.readLine()))) {
      assertEquals("web", new String(client.getInputStream().readAllBytes(), UTF_8));
      assertTrue(service.waitFor(30, TimeUnit.SECONDS));
      assertEquals(0, service.exitValue());
    } finally {
      service.destroyForcibly();
    }
  }

  @Test
  void aServiceServesTheConnectionThatInetdPasses() throws Exception {
    List<String> launcher =
        List.of(
            "perl",
            "-e",
            """
            use IO::Socket::INET; use POSIX;
            my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die $!;
            print $listener->sockport, "\\n"; STDOUT->flush;
            my $client = $listener->accept or die $!;
            POSIX::dup2(fileno($client), 0);
            exec @ARGV or die $!;
            """);
    List<String> command = new ArrayList<>(launcher);
    command.addAll(java(OfInetd.class));
    Process service =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader out = service.inputReader();
        Socket client =
            new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(out.readLine()))) {
      client.getOutputStream().write(new byte[] {1, 2, 3});
      client.shutdownOutput();
      assertEquals(3, client.getInputStream().readAllBytes().length);
      assertTrue(service.waitFor(30, TimeUnit.SECONDS));
      assertEquals(0, service.exitValue());
    } finally {
      service.destroyForcibly();
    }
  }
}
