package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.epoll.Poller;
import dev.epoll.testing.KernelFds;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConnectInTurnTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  private Poller poller;
  private TcpListener listener;
  private InetSocketAddress nobody;
  private InetSocketAddress somebody;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    listener = TcpListener.bind(poller, TcpPair.anyPort());
    somebody = listener.localAddress();
    try (TcpListener gone = TcpListener.bind(poller, TcpPair.anyPort())) {
      nobody = gone.localAddress();
    }
  }

  @AfterEach
  void close() {
    listener.close();
    poller.close();
  }

  private TcpStream connect(InetSocketAddress... remotes) throws Exception {
    return TcpStream.connect(poller, List.of(remotes), TcpOptions.none(), LONG);
  }

  @Test
  void theFirstThatTakesTheConnectionHasIt() throws Exception {
    try (TcpStream stream = connect(nobody, nobody, somebody, nobody)) {
      assertEquals(somebody, stream.remoteAddress());
    }
  }

  @Test
  void whenNoneDoesTheLastFailureHasTheOthers() throws Exception {
    var before = KernelFds.openNow();
    ConnectException e = assertThrows(ConnectException.class, () -> connect(nobody, nobody));
    assertEquals(1, e.getSuppressed().length);
    assertThrows(IllegalArgumentException.class, this::connect);
    KernelFds.assertNoneSince(before);
  }

  @Test
  void anInterruptIsNotTheAddressesFault() {
    ConnectAttempts attempts = new ConnectAttempts(List.of(somebody, nobody));
    attempts.next();
    assertThrows(InterruptedIOException.class, () -> attempts.failed(new InterruptedIOException()));
  }
}
