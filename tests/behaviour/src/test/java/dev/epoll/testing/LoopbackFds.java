package dev.epoll.testing;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import jnr.ffi.LibraryLoader;

/** Raw IPv4 sockets on 127.0.0.1 for one test: non-blocking, closed at its end. */
public final class LoopbackFds implements AutoCloseable {
  public static final int SOL_SOCKET = 1;
  public static final int SO_ERROR = 4;
  public static final int SO_OOBINLINE = 10;
  public static final int SO_LINGER = 13;
  public static final int SO_RCVLOWAT = 18;
  public static final int SO_TIMESTAMPING = 37;
  public static final int IPPROTO_IP = 0;
  public static final int IPPROTO_TCP = 6;
  public static final int TCP_NODELAY = 1;
  public static final int IPPROTO_MPTCP = 262;
  public static final int IP_RECVERR = 11;
  public static final int MSG_ERRQUEUE = 0x2000;
  private static final int EINPROGRESS = 115;
  private static final int ADDRESS_SIZE = 16;

  public static final Sockets SOCKETS = LibraryLoader.create(Sockets.class).load("c");

  private final Deque<Integer> open = new ArrayDeque<>();

  /** libc, by its C names. */
  public interface Sockets {
    int bind(int fd, byte[] address, int length);

    int listen(int fd, int backlog);

    int connect(int fd, byte[] address, int length);

    int accept4(int fd, byte[] address, int[] length, int flags);

    int getsockname(int fd, byte[] address, int[] length);

    int getsockopt(int fd, int level, int option, int[] value, int[] length);
  }

  /** Whether this kernel has stream sockets of {@code protocol}. */
  public static boolean has(int protocol) {
    int fd = C.socket(LibC.AF_INET, LibC.SOCK_STREAM | flags(), protocol);
    return fd >= 0 && C.close(fd) == 0;
  }

  /** A fresh TCP socket. */
  public int tcp() {
    return stream(IPPROTO_TCP);
  }

  private int stream(int protocol) {
    return keep(C.socket(LibC.AF_INET, LibC.SOCK_STREAM | flags(), protocol));
  }

  /** A UDP socket bound to a free port. */
  public int udp() {
    int fd = keep(C.socket(LibC.AF_INET, LibC.SOCK_DGRAM | flags(), 0));
    check(SOCKETS.bind(fd, address(0), ADDRESS_SIZE));
    return fd;
  }

  /** A TCP listener on a free port. */
  public int listener(int backlog) {
    return listener(IPPROTO_TCP, backlog);
  }

  private int listener(int protocol, int backlog) {
    int fd = stream(protocol);
    check(SOCKETS.bind(fd, address(0), ADDRESS_SIZE));
    check(SOCKETS.listen(fd, backlog));
    return fd;
  }

  /** The port that {@code fd} is bound to. */
  public static int port(int fd) {
    byte[] address = new byte[ADDRESS_SIZE];
    check(SOCKETS.getsockname(fd, address, new int[] {ADDRESS_SIZE}));
    return ByteBuffer.wrap(address).getShort(2) & 0xffff;
  }

  /** Starts to connect {@code fd} and returns at once. */
  public static void startConnect(int fd, int port) {
    if (SOCKETS.connect(fd, address(port), ADDRESS_SIZE) < 0 && LibC.errno() != EINPROGRESS) {
      throw new AssertionError("connect failed with errno " + LibC.errno());
    }
  }

  /** A TCP socket that connects to {@code port}. */
  public int connecting(int port) {
    int fd = tcp();
    startConnect(fd, port);
    return fd;
  }

  /** The next connection of {@code listener}, waited for. */
  public int accept(int listener) {
    AtomicInteger fd = new AtomicInteger();
    Eventually.until(
        "a connection comes",
        () -> {
          fd.set(SOCKETS.accept4(listener, null, null, flags()));
          return fd.get() >= 0;
        });
    return keep(fd.get());
  }

  /** Two connected TCP sockets: a the client, b the accepted one. */
  public Fds.Pair pair() {
    return pair(IPPROTO_TCP);
  }

  /** The same of another protocol. */
  public Fds.Pair pair(int protocol) {
    int listener = listener(protocol, 8);
    int client = stream(protocol);
    startConnect(client, port(listener));
    int accepted = accept(listener);
    close(listener);
    return new Fds.Pair(client, accepted);
  }

  /** setsockopt(2) with ints. */
  public static void set(int fd, int level, int option, int... value) {
    check(C.setsockopt(fd, level, option, value, value.length * Integer.BYTES));
  }

  /** Takes the pending error, SO_ERROR. */
  public static int takeError(int fd) {
    int[] error = new int[1];
    check(SOCKETS.getsockopt(fd, SOL_SOCKET, SO_ERROR, error, new int[] {Integer.BYTES}));
    return error[0];
  }

  /** Closes {@code fd} so that the peer gets a reset. */
  public void abort(int fd) {
    set(fd, SOL_SOCKET, SO_LINGER, 1, 0);
    close(fd);
  }

  /** Leaves {@code fd} to somebody who closes it. */
  public int release(int fd) {
    open.remove(fd);
    return fd;
  }

  /** Closes {@code fd} now. */
  public void close(int fd) {
    open.remove(fd);
    check(C.close(fd));
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      C.close(open.pop());
    }
  }

  private int keep(int fd) {
    open.push(check(fd));
    return fd;
  }

  private static int flags() {
    return LibC.O_NONBLOCK | LibC.O_CLOEXEC;
  }

  private static byte[] address(int port) {
    ByteBuffer address = ByteBuffer.allocate(ADDRESS_SIZE).order(ByteOrder.nativeOrder());
    address.putShort((short) LibC.AF_INET);
    address.order(ByteOrder.BIG_ENDIAN).putShort((short) port).putInt(0x7f000001);
    return address.array();
  }
}
