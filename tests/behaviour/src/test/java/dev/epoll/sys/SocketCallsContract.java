package dev.epoll.sys;

import static dev.epoll.sys.Linux.AF_INET;
import static dev.epoll.sys.Linux.AF_INET6;
import static dev.epoll.sys.Linux.SOCK_NONBLOCK;
import static dev.epoll.sys.Linux.SOCK_STREAM;
import static dev.epoll.sys.Linux.SOL_SOCKET;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.epoll.testing.LibC;
import java.lang.ref.Reference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The socket calls, told by what they do. */
interface SocketCallsContract {
  int IN_SIZE = 16;
  int IN6_SIZE = 28;
  int MSG_DONTWAIT = 0x40;
  int SO_TYPE = 3;
  int SO_ACCEPTCONN = 30;

  Syscalls syscalls();

  /** A listener on a free port of the loopback and one connection to it; both ends block. */
  record Connection(int listener, int client, int server) {
    static Connection open(Seam seam) {
      int listener = listening(seam);
      int client = seam.socket(AF_INET, SOCK_STREAM);
      Seam.ok(seam.connect(client, seam.sockname(listener, IN_SIZE)));
      return new Connection(listener, client, seam.accept(listener, 0, IN_SIZE).fd());
    }
  }

  private static int listening(Seam seam) {
    int listener = seam.socket(AF_INET, SOCK_STREAM);
    Seam.ok(seam.bind(listener, loopback("127.0.0.1", 0)));
    Seam.ok(seam.syscalls.listen(listener, 16));
    return listener;
  }

  private static InetSocketAddress loopback(String literal, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByName(literal), port);
    } catch (java.net.UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  default void socketTakesDomainTypeAndFlags() {
    try (Seam seam = new Seam(syscalls())) {
      int plain = seam.keep(syscalls().socket(AF_INET, SOCK_STREAM, 0));
      int flagged =
          seam.keep(
              syscalls().socket(AF_INET, LibC.SOCK_DGRAM | SOCK_NONBLOCK | Linux.SOCK_CLOEXEC, 0));
      assertFalse(Seam.isCloseOnExec(plain));
      assertFalse(Seam.isNonBlocking(plain));
      assertTrue(Seam.isCloseOnExec(flagged));
      assertTrue(Seam.isNonBlocking(flagged));
      assertEquals(SOCK_STREAM, seam.option(plain, SOL_SOCKET, SO_TYPE));
      assertEquals(LibC.SOCK_DGRAM, seam.option(flagged, SOL_SOCKET, SO_TYPE));
      Seam.fails(Errno.EAFNOSUPPORT, syscalls().socket(9999, SOCK_STREAM, 0));
      Seam.fails(Errno.EPROTONOSUPPORT, syscalls().socket(AF_INET, SOCK_STREAM, 17));
    }
  }

  @Test
  default void bindGivesTheNameThatGetsocknameTells() {
    try (Seam seam = new Seam(syscalls())) {
      int fd = seam.socket(AF_INET, SOCK_STREAM);
      Seam.ok(seam.bind(fd, loopback("127.0.0.1", 0)));
      InetSocketAddress name = seam.sockname(fd, IN_SIZE);
      assertEquals("127.0.0.1", name.getAddress().getHostAddress());
      assertNotEquals(0, name.getPort());
      int second = seam.socket(AF_INET, SOCK_STREAM);
      Seam.fails(Errno.EADDRINUSE, seam.bind(second, name));
      Seam.fails(Errno.EADDRNOTAVAIL, seam.bind(second, loopback("192.0.2.1", 0)));
    }
  }

  @Test
  default void addressesOfIpv6TravelBothWays() {
    try (Seam seam = new Seam(syscalls())) {
      int listener = seam.socket(AF_INET6, SOCK_STREAM);
      assumeFalse(seam.bind(listener, loopback("::1", 0)) < 0, "no IPv6 loopback here");
      Seam.ok(syscalls().listen(listener, 16));
      InetSocketAddress name = seam.sockname(listener, IN6_SIZE);
      assertEquals(loopback("::1", name.getPort()), name);
      int client = seam.socket(AF_INET6, SOCK_STREAM);
      Seam.ok(seam.connect(client, name));
      Seam.Accepted accepted = seam.accept(listener, 0, IN6_SIZE);
      assertEquals(seam.sockname(client, IN6_SIZE), accepted.peer());
      assertEquals(name, seam.peername(client, IN6_SIZE));
    }
  }

  @Test
  default void listenLetsASocketAccept() {
    try (Seam seam = new Seam(syscalls())) {
      int fd = seam.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      Seam.ok(seam.bind(fd, loopback("127.0.0.1", 0)));
      assertEquals(0, seam.option(fd, SOL_SOCKET, SO_ACCEPTCONN));
      Seam.fails(Errno.EINVAL, syscalls().accept4(fd, 0, 0, 0));
      Seam.ok(syscalls().listen(fd, 16));
      assertEquals(1, seam.option(fd, SOL_SOCKET, SO_ACCEPTCONN));
      Seam.fails(Errno.EAGAIN, syscalls().accept4(fd, 0, 0, 0));
    }
  }

  @Test
  default void accept4TakesItsFlagsAndTellsThePeer() {
    try (Seam seam = new Seam(syscalls())) {
      int listener = listening(seam);
      int[] allFlags = {0, SOCK_NONBLOCK, Linux.SOCK_CLOEXEC, SOCK_NONBLOCK | Linux.SOCK_CLOEXEC};
      for (int flags : allFlags) {
        int client = seam.socket(AF_INET, SOCK_STREAM);
        Seam.ok(seam.connect(client, seam.sockname(listener, IN_SIZE)));
        Seam.Accepted accepted = seam.accept(listener, flags, IN_SIZE);
        assertEquals(seam.sockname(client, IN_SIZE), accepted.peer());
        assertEquals((flags & SOCK_NONBLOCK) != 0, Seam.isNonBlocking(accepted.fd()));
        assertEquals((flags & Linux.SOCK_CLOEXEC) != 0, Seam.isCloseOnExec(accepted.fd()));
      }
      int client = seam.socket(AF_INET, SOCK_STREAM);
      Seam.ok(seam.connect(client, seam.sockname(listener, IN_SIZE)));
      int server = seam.keep(syscalls().accept4(listener, 0, 0, Linux.SOCK_CLOEXEC));
      assertEquals(seam.sockname(client, IN_SIZE), seam.peername(server, IN_SIZE));
    }
  }

  @Test
  default void connectIsInProgressThenConnected() {
    try (Seam seam = new Seam(syscalls())) {
      InetSocketAddress remote = seam.sockname(listening(seam), IN_SIZE);
      int client = seam.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      Seam.fails(Errno.ENOTCONN, syscalls().getpeername(client, 0, 0));
      Seam.fails(Errno.EINPROGRESS, seam.connect(client, remote));
      int epfd = seam.epollOver(client, Linux.EPOLLOUT);
      assertEquals(Linux.EPOLLOUT, seam.wait(epfd, 1, 10_000).get(0).bits());
      assertEquals(0, seam.option(client, SOL_SOCKET, Linux.SO_ERROR));
      assertEquals(remote, seam.peername(client, IN_SIZE));
      Seam.ok(seam.connect(client, remote)); // Kernel: the first one after success tells of it.
      Seam.fails(Errno.EISCONN, seam.connect(client, remote));
    }
  }

  @Test
  default void connectToAPortWithoutListenerIsRefused() {
    try (Seam seam = new Seam(syscalls())) {
      int bound = seam.socket(AF_INET, SOCK_STREAM);
      Seam.ok(seam.bind(bound, loopback("127.0.0.1", 0)));
      int client = seam.socket(AF_INET, SOCK_STREAM);
      Seam.fails(Errno.ECONNREFUSED, seam.connect(client, seam.sockname(bound, IN_SIZE)));
    }
  }

  @Test
  default void optionsKeepWhatWasSet() {
    try (Seam seam = new Seam(syscalls())) {
      int fd = seam.socket(AF_INET, SOCK_STREAM);
      for (int on : new int[] {1, 0}) {
        Seam.ok(seam.setOption(fd, SOL_SOCKET, Linux.SO_KEEPALIVE, on));
        Seam.ok(seam.setOption(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, 1 - on));
        assertEquals(on, seam.option(fd, SOL_SOCKET, Linux.SO_KEEPALIVE));
        assertEquals(1 - on, seam.option(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY));
      }
      Seam.ok(seam.setOption(fd, SOL_SOCKET, Linux.SO_LINGER, 1, 5));
      Seam.fails(Errno.EINVAL, seam.setOption(fd, SOL_SOCKET, Linux.SO_LINGER, 1));
      Seam.fails(Errno.ENOPROTOOPT, seam.setOption(fd, SOL_SOCKET, 9999, 1));
    }
  }

  @Test
  default void shutdownEndsTheDirectionThatItNames() {
    try (Seam seam = new Seam(syscalls())) {
      Connection connection = Connection.open(seam);
      Seam.ok(syscalls().shutdown(connection.client, Linux.SHUT_WR));
      assertEquals(0, seam.readResult(connection.server, 1));
      assertEquals(2, seam.write(connection.server, Seam.text("ok")));
      Seam.assertBytes("ok", seam.read(connection.client, 8));
      Seam.ok(syscalls().fcntl(connection.client, Linux.F_SETFL, Linux.O_NONBLOCK));
      Seam.fails(Errno.EAGAIN, seam.readResult(connection.client, 1));
      Seam.ok(syscalls().shutdown(connection.client, Linux.SHUT_RD));
      assertEquals(0, seam.readResult(connection.client, 1));
      Seam.fails(Errno.EINVAL, syscalls().shutdown(connection.server, 9));
    }
  }

  @Test
  default void sendTakesItsFlags() {
    try (Seam seam = new Seam(syscalls())) {
      Connection connection = Connection.open(seam);
      assertEquals(2, seam.send(connection.client, Linux.MSG_NOSIGNAL, Seam.text("hi")));
      Seam.assertBytes("hi", seam.read(connection.server, 8));
      assertEquals(1, seam.send(connection.client, LibC.MSG_OOB, Seam.text("!")));
      int epfd = seam.epollOver(connection.server, Linux.EPOLLPRI);
      assertEquals(Linux.EPOLLPRI, seam.wait(epfd, 1, 10_000).get(0).bits());
      fillWithoutBlocking(seam, connection.client);
      Seam.ok(syscalls().shutdown(connection.client, Linux.SHUT_WR));
      Seam.fails(Errno.EPIPE, seam.send(connection.client, Linux.MSG_NOSIGNAL, Seam.text("x")));
    }
  }

  private static void fillWithoutBlocking(Seam seam, int blockingSocket) {
    byte[] large = new byte[1 << 20];
    long sent;
    do {
      sent = seam.send(blockingSocket, MSG_DONTWAIT, large);
    } while (sent > 0);
    Seam.fails(Errno.EAGAIN, sent);
  }

  @Test
  default void sendmsgGathersItsBuffersAndTakesItsFlags() {
    try (Seam seam = new Seam(syscalls())) {
      Connection connection = Connection.open(seam);
      ByteBuffer direct = ByteBuffer.allocateDirect(8).put(Seam.text("direct ")).flip();
      ByteBuffer heap = ByteBuffer.wrap(Seam.text("and heap"));
      ByteBuffer[] sources = {direct, heap};
      assertEquals(15, sendmsg(seam, connection.client, Linux.MSG_NOSIGNAL, sources));
      Seam.assertBytes("direct and heap", seam.read(connection.server, 64));
      assertEquals(15, sendmsg(seam, connection.client, LibC.MSG_OOB, sources));
      int epfd = seam.epollOver(connection.server, Linux.EPOLLPRI);
      assertEquals(Linux.EPOLLPRI, seam.wait(epfd, 1, 10_000).get(0).bits());
    }
  }

  private static long sendmsg(Seam seam, int fd, int flags, ByteBuffer[] sources) {
    NativeMemory memory = seam.allocate(ScratchMemory.SIZE);
    try {
      long bytes = GatherMessage.fill(seam.syscalls, memory, sources, 0, sources.length);
      assertEquals(15, bytes);
      return seam.syscalls.sendmsg(fd, memory.address(), flags);
    } finally {
      Reference.reachabilityFence(memory);
      Reference.reachabilityFence(sources);
    }
  }
}
