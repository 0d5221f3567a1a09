package dev.epoll.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LoadClientTest {
  private static final Answer ECHO = (message, out) -> out.write(message);

  @ParameterizedTest
  @ValueSource(ints = {1, 500})
  void whatIsAnsweredBeforeAndAfterTheWindowDoesNotCount(int connections) throws IOException {
    try (Server server = new Server(ECHO);
        LoadClient client = server.connect(connections, Duration.ofSeconds(30))) {
      for (int i = 0; i < 2; i++) {
        long before = server.answers.get();
        Load load = client.run(20);
        long answers = server.answers.get() - before;
        assertEquals(answers, load.allMessages());
        // One of each connection before it opened, and one that was under way when it closed
        assertTrue(load.messages() > 0 && load.messages() <= answers - 2L * connections);
        assertTrue(load.nanos() >= 20_000_000);
      }
    }
  }

  @Test
  void aGreetingIsOneMessageOnEachConnection() throws IOException {
    try (Server server = new Server(ECHO);
        LoadClient client = server.connect(500, Duration.ofSeconds(30))) {
      client.greet();
      assertEquals(500, server.answers.get());
      assertTrue(client.run(1).messages() > 0);
    }
  }

  @Test
  void anotherByteIsAFailure() throws IOException {
    assertFails(
        (message, out) -> {
          message[63] ^= 1;
          out.write(message);
        });
  }

  @Test
  void anAnswerToAnEarlierMessageIsAFailure() throws IOException {
    byte[] first = new byte[LoadClient.MESSAGE];
    assertFails(
        (message, out) -> {
          if (first[0] == 0) {
            System.arraycopy(message, 0, first, 0, first.length);
          }
          out.write(first);
        });
  }

  @Test
  void answeringTwiceIsAFailure() throws IOException {
    assertFails(
        (message, out) -> {
          out.write(message);
          out.write(message);
        });
  }

  @Test
  void closingIsAFailure() throws IOException {
    assertFails((message, out) -> out.close());
  }

  @Test
  void silenceIsAFailure() throws IOException {
    assertFails((message, out) -> {});
  }

  @Test
  void nobodyThereIsAFailure() {
    assertThrows(BenchmarkFailure.class, () -> LoadClient.connect("nobody", 1, 2));
  }

  private static void assertFails(Answer answer) throws IOException {
    try (Server server = new Server(answer);
        LoadClient client = server.connect(2, Duration.ofSeconds(1))) {
      assertThrows(BenchmarkFailure.class, () -> client.run(100));
    }
  }

  /** What a server does with a message. */
  private interface Answer {
    void to(byte[] message, OutputStream out) throws IOException;
  }

  /** Ends, in {@link #close}, only after all its connections have. */
  private static final class Server implements AutoCloseable {
    final AtomicLong answers = new AtomicLong();
    private final Answer answer;
    private final ServerSocket listener =
        new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    Server(Answer answer) throws IOException {
      this.answer = answer;
    }

    LoadClient connect(int connections, Duration limit) throws IOException {
      LoadClient client = LoadClient.connect("test", listener.getLocalPort(), connections, limit);
      for (int i = 0; i < connections; i++) {
        Socket connection = listener.accept();
        threads.execute(() -> serve(connection));
      }
      return client;
    }

    private void serve(Socket connection) {
      byte[] message = new byte[LoadClient.MESSAGE];
      try (connection) {
        DataInputStream in = new DataInputStream(connection.getInputStream());
        while (true) {
          in.readFully(message);
          answers.incrementAndGet();
          answer.to(message, connection.getOutputStream());
        }
      } catch (IOException end) {
        // The client has gone.
      }
    }

    @Override
    public void close() throws IOException {
      threads.close();
      listener.close();
    }
  }
}
