package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.KernelFds;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.List;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TcpOptionsTest {
  private TcpPair pair;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  private <T> void comesBack(SocketOption<T> option, T value) throws Exception {
    for (SocketFd<?> socket : List.of(pair.client(), pair.listener())) {
      socket.setOption(option, value);
      assertEquals(value, socket.getOption(option), option + " of " + socket);
    }
  }

  @Test
  void everyOptionComesBackAsItWasSet() throws Exception {
    for (boolean on : new boolean[] {true, false}) {
      comesBack(StandardSocketOptions.TCP_NODELAY, on);
      comesBack(StandardSocketOptions.SO_KEEPALIVE, on);
      comesBack(StandardSocketOptions.SO_REUSEADDR, on);
      comesBack(StandardSocketOptions.SO_REUSEPORT, on);
    }
    for (int seconds : new int[] {0, 1, 100, -1}) {
      comesBack(StandardSocketOptions.SO_LINGER, seconds);
    }
    comesBack(ExtendedSocketOptions.TCP_KEEPIDLE, 33);
    comesBack(ExtendedSocketOptions.TCP_KEEPINTERVAL, 7);
    comesBack(ExtendedSocketOptions.TCP_KEEPCOUNT, 4);
  }

  @Test
  void bufferSizesComeBackDoubled() throws Exception {
    pair.client().setOption(StandardSocketOptions.SO_SNDBUF, 20_000);
    pair.client().setOption(StandardSocketOptions.SO_RCVBUF, 30_000);
    assertEquals(40_000, pair.client().getOption(StandardSocketOptions.SO_SNDBUF));
    assertEquals(60_000, pair.client().getOption(StandardSocketOptions.SO_RCVBUF));
  }

  @Test
  void aNegativeLingerIsOffByDefaultToo() throws Exception {
    assertEquals(-1, pair.client().getOption(StandardSocketOptions.SO_LINGER));
    pair.client().setOption(StandardSocketOptions.SO_LINGER, -20);
    assertEquals(-1, pair.client().getOption(StandardSocketOptions.SO_LINGER));
  }

  @Test
  void anOptionThatTcpLacksIsRefusedByName() {
    UnsupportedOperationException e =
        assertThrows(
            UnsupportedOperationException.class,
            () -> pair.client().getOption(StandardSocketOptions.IP_TOS));
    assertEquals(
        "TCP sockets have no option IP_TOS: there are [SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE,"
            + " SO_RCVBUF, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, TCP_KEEPCOUNT, TCP_KEEPIDLE,"
            + " TCP_KEEPINTERVAL, TCP_NODELAY]",
        e.getMessage());
    assertThrows(
        UnsupportedOperationException.class,
        () -> pair.client().setOption(StandardSocketOptions.IP_TOS, 1));
    assertThrows(
        UnsupportedOperationException.class,
        () -> TcpOptions.none().with(StandardSocketOptions.IP_TOS, 1));
  }

  @Test
  void aValueThatTheKernelRefusesIsATypedError() {
    SyscallException e =
        assertThrows(
            SyscallException.class,
            () -> pair.client().setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 0));
    assertEquals("EINVAL", e.errnoName());
    assertEquals("setsockopt", e.call());
  }

  @Test
  void missingValuesAreRefused() {
    assertThrows(
        NullPointerException.class,
        () -> pair.client().setOption(StandardSocketOptions.TCP_NODELAY, null));
    assertThrows(
        NullPointerException.class,
        () -> TcpOptions.none().with(StandardSocketOptions.TCP_NODELAY, null));
  }

  @Test
  void optionsAreImmutableAndTheLastOfANameCounts() throws Exception {
    TcpOptions off = TcpOptions.none().with(StandardSocketOptions.TCP_NODELAY, false);
    TcpOptions on = off.with(StandardSocketOptions.TCP_NODELAY, true);
    assertEquals("{}", TcpOptions.none().toString());
    assertEquals("{TCP_NODELAY=false}", off.toString());
    assertEquals("{TCP_NODELAY=true}", on.toString());
    try (TcpPair nodelay = TcpPair.open(on)) {
      assertTrue(nodelay.client().getOption(StandardSocketOptions.TCP_NODELAY));
    }
  }

  @Test
  void acceptedConnectionsInheritTheListenersOptions() throws Exception {
    TcpOptions options =
        TcpOptions.none()
            .with(StandardSocketOptions.SO_KEEPALIVE, true)
            .with(ExtendedSocketOptions.TCP_KEEPIDLE, 44)
            .with(StandardSocketOptions.SO_RCVBUF, 10_000);
    try (TcpPair inherited = TcpPair.open(options)) {
      assertTrue(inherited.server().getOption(StandardSocketOptions.SO_KEEPALIVE));
      assertEquals(44, inherited.server().getOption(ExtendedSocketOptions.TCP_KEEPIDLE));
      assertEquals(20_000, inherited.server().getOption(StandardSocketOptions.SO_RCVBUF));
    }
  }

  @Test
  void aListenerReusesItsAddressUnlessToldOtherwise() throws Exception {
    assertTrue(pair.listener().getOption(StandardSocketOptions.SO_REUSEADDR));
    TcpOptions off = TcpOptions.none().with(StandardSocketOptions.SO_REUSEADDR, false);
    try (TcpListener listener = TcpListener.bind(pair.poller(), TcpPair.anyPort(), 1, off)) {
      assertFalse(listener.getOption(StandardSocketOptions.SO_REUSEADDR));
    }
  }

  @Test
  void anOptionThatTheKernelRefusesLeavesNoSocketBehind() throws Exception {
    TcpOptions bad = TcpOptions.none().with(ExtendedSocketOptions.TCP_KEEPIDLE, -1);
    Poller poller = pair.poller();
    var address = pair.listener().localAddress();
    var before = KernelFds.openNow();
    assertThrows(SyscallException.class, () -> TcpListener.bind(poller, TcpPair.anyPort(), 1, bad));
    assertThrows(SyscallException.class, () -> TcpStream.startConnect(poller, address, bad));
    assertThrows(SyscallException.class, () -> TcpStream.connect(poller, address, bad, null));
    KernelFds.assertNoneSince(before);
  }
}
