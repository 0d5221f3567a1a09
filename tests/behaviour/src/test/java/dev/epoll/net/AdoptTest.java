package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.AwaitableFd;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sockets that somebody else made. */
class AdoptTest {
  private interface Adopting {
    AwaitableFd adopt(Poller poller, int fd) throws Exception;
  }

  private static final Map<String, Adopting> KINDS =
      Map.of(
          "TCP listener", TcpListener::adopt,
          "TCP connection", TcpStream::adopt,
          "Unix listener", UnixListener::adopt,
          "Unix stream", UnixStream::adopt,
          "UDP socket", UdpSocket::adopt,
          "Unix datagram socket", UnixDatagramSocket::adopt);

  private Poller poller;
  private final Map<String, AwaitableFd> sockets = new LinkedHashMap<>();
  private UnixStream.Pair streams;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort());
    streams = UnixStream.pair(poller);
    sockets.put("TCP listener", listener);
    sockets.put("TCP connection", TcpStream.connect(poller, listener.localAddress()));
    sockets.put("Unix listener", UnixListener.bind(poller, UnixAddress.unnamed()));
    sockets.put("Unix stream", streams.first());
    sockets.put("UDP socket", UdpSocket.bind(poller, TcpPair.anyPort()));
    sockets.put("Unix datagram socket", UnixDatagramSocket.open(poller));
  }

  @AfterEach
  void close() {
    sockets.values().forEach(AwaitableFd::close);
    streams.close();
    poller.close();
  }

  @Test
  void eachKindTakesItsOwnAndRefusesEveryOther() throws Exception {
    try (Fds fds = new Fds()) {
      for (var socket : sockets.entrySet()) {
        for (var kind : KINDS.entrySet()) {
          int fd = fds.dup(socket.getValue().fd());
          if (kind.getKey().equals(socket.getKey())) {
            kind.getValue().adopt(poller, fds.release(fd)).close();
            assertEquals(-1, C.fcntl(fd, LibC.F_GETFD, 0), "adopted, so closed");
          } else {
            IllegalArgumentException e =
                assertThrows(
                    IllegalArgumentException.class, () -> kind.getValue().adopt(poller, fd));
            assertEquals(
                "fd " + fd + " is no " + kind.getKey() + ": it is a " + socket.getKey(),
                e.getMessage());
            assertNotEquals(-1, C.fcntl(fd, LibC.F_GETFD, 0), "refused, so left open");
          }
        }
      }
    }
  }

  @Test
  void whatIsNoSocketOrNotOpenIsRefused() throws Exception {
    try (Fds fds = new Fds()) {
      int pipe = fds.pipe().a();
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> TcpStream.adopt(poller, pipe));
      assertEquals("fd " + pipe + " is no TCP connection: it is no socket", e.getMessage());
      fds.close(pipe);
      SyscallException closed =
          assertThrows(SyscallException.class, () -> UdpSocket.adopt(poller, pipe));
      assertEquals("EBADF", closed.errnoName());
      assertThrows(SyscallException.class, () -> UnixListener.adopt(poller, -1));
    }
  }

  @Test
  void anAdoptedSocketIsNonBlockingAndCloseOnExecAndWorks() throws Exception {
    int[] pair = new int[2];
    LibC.check(C.socketpair(LibC.AF_UNIX, LibC.SOCK_STREAM, 0, pair));
    try (UnixStream a = UnixStream.adopt(poller, pair[0]);
        UnixStream b = UnixStream.adopt(poller, pair[1])) {
      assertTrue((C.fcntl(a.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(b.fd(), LibC.F_GETFD, 0));
      a.tryWrite(ByteBuffer.allocate(4));
      assertEquals(4, b.blocking().read(ByteBuffer.allocate(9)));
    }
  }
}
