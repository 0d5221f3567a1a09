package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.LibC;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;

/**
 * One {@link Syscalls} with Java arguments instead of addresses, and the fds that a test opened
 * through it, closed at its end.
 */
final class Seam implements AutoCloseable {
  private static final int INT_MEMORY = 8;

  final Syscalls syscalls;
  private final Deque<Integer> open = new ArrayDeque<>();

  record Event(int bits, long data) {}

  record Accepted(int fd, InetSocketAddress peer) {}

  Seam(Syscalls syscalls) {
    this.syscalls = syscalls;
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      LibC.C.close(open.pop());
    }
  }

  /** {@code fd}, closed at the end; fails if it is {@code -errno}. */
  int keep(int fd) {
    open.push(ok(fd));
    return fd;
  }

  void closeNow(int fd) {
    open.remove(fd);
    ok(syscalls.close(fd));
  }

  static int ok(long result) {
    assertTrue(result >= 0, () -> "failed with " + Errno.name((int) -result));
    return (int) result;
  }

  static void fails(Errno expected, long result) {
    assertEquals(
        expected.name(), result < 0 ? Errno.name((int) -result) : "success, " + result, "errno");
  }

  long with(NativeMemory memory, LongUnaryOperator call) {
    try {
      return call.applyAsLong(memory.address());
    } finally {
      Reference.reachabilityFence(memory);
    }
  }

  NativeMemory allocate(int bytes) {
    return NativeMemory.allocate(syscalls, bytes);
  }

  NativeMemory ints(int... values) {
    NativeMemory memory = allocate(Math.max(INT_MEMORY, values.length * Integer.BYTES));
    IntStream.range(0, values.length)
        .forEach(i -> memory.buffer().putInt(i * Integer.BYTES, values[i]));
    return memory;
  }

  int epoll() {
    return keep(syscalls.epollCreate1(Linux.EPOLL_CLOEXEC));
  }

  int eventfd(int initialValue) {
    return keep(syscalls.eventfd(initialValue, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC));
  }

  int[] pipe(int flags) {
    NativeMemory fds = ints(-1, -1);
    ok(with(fds, address -> syscalls.pipe2(address, flags)));
    return new int[] {keep(fds.buffer().getInt(0)), keep(fds.buffer().getInt(Integer.BYTES))};
  }

  int ctl(int epfd, int op, int fd, int bits, long data) {
    NativeMemory event = allocate(EpollEvent.SIZE);
    EpollEvent.put(event, bits, data);
    return (int) with(event, address -> syscalls.epollCtl(epfd, op, fd, address));
  }

  /** EPOLL_CTL_ADD with the fd as data. */
  void add(int epfd, int fd, int bits) {
    ok(ctl(epfd, Linux.EPOLL_CTL_ADD, fd, bits, fd));
  }

  /** A set that watches {@code fd}, with the fd as data. */
  int epollOver(int fd, int bits) {
    int epfd = epoll();
    add(epfd, fd, bits);
    return epfd;
  }

  List<Event> wait(int epfd, int maxEvents, int timeoutMillis) {
    EventBuffer events = new EventBuffer(syscalls, maxEvents);
    int count = ok(syscalls.epollWait(epfd, events.address(), events.capacity(), timeoutMillis));
    return IntStream.range(0, count)
        .mapToObj(i -> new Event(events.events(i), events.data(i)))
        .toList();
  }

  int waitResult(int epfd, int maxEvents, int timeoutMillis) {
    return (int)
        with(
            allocate(EpollEvent.SIZE),
            address -> syscalls.epollWait(epfd, address, maxEvents, timeoutMillis));
  }

  int pwait2Result(int epfd, long seconds, long nanos) {
    NativeMemory timespec = allocate(2 * Long.BYTES);
    timespec.buffer().putLong(0, seconds).putLong(Long.BYTES, nanos);
    return (int)
        with(
            allocate(EpollEvent.SIZE),
            events -> with(timespec, time -> syscalls.epollPwait2(epfd, events, 1, time)));
  }

  /** poll(2) of one fd, at once: the revents. */
  int poll(int fd, int events) {
    NativeMemory pollfd = ints(fd, events);
    ok(with(pollfd, address -> syscalls.poll(address, 1, 0)));
    return pollfd.buffer().getShort(6);
  }

  long write(int fd, byte... bytes) {
    return with(bytes(bytes), address -> syscalls.write(fd, address, bytes.length));
  }

  long send(int fd, int flags, byte... bytes) {
    return with(bytes(bytes), address -> syscalls.send(fd, address, bytes.length, flags));
  }

  NativeMemory bytes(byte... bytes) {
    NativeMemory memory = allocate(Math.max(INT_MEMORY, bytes.length));
    memory.buffer().put(0, bytes);
    return memory;
  }

  long readResult(int fd, int count) {
    return with(allocate(count), address -> syscalls.read(fd, address, count));
  }

  /** What one read of up to {@code count} bytes gives. */
  byte[] read(int fd, int count) {
    NativeMemory memory = allocate(count);
    int length = ok(with(memory, address -> syscalls.read(fd, address, count)));
    byte[] bytes = new byte[length];
    memory.buffer().get(0, bytes);
    return bytes;
  }

  long readLong(int eventfd) {
    NativeMemory memory = allocate(Long.BYTES);
    assertEquals(8, with(memory, address -> syscalls.read(eventfd, address, Long.BYTES)));
    return memory.buffer().getLong(0);
  }

  void writeLong(int eventfd, long value) {
    NativeMemory memory = allocate(Long.BYTES);
    memory.buffer().putLong(0, value);
    assertEquals(8, with(memory, address -> syscalls.write(eventfd, address, Long.BYTES)));
  }

  int socket(int family, int type) {
    return keep(syscalls.socket(family, type | Linux.SOCK_CLOEXEC, 0));
  }

  int bind(int fd, InetSocketAddress address) {
    return withAddress(address, (memory, length) -> syscalls.bind(fd, memory, length));
  }

  int connect(int fd, InetSocketAddress address) {
    return withAddress(address, (memory, length) -> syscalls.connect(fd, memory, length));
  }

  private interface AddressCall {
    int on(long memory, int length);
  }

  private int withAddress(InetSocketAddress address, AddressCall call) {
    NativeMemory memory = allocate(SocketAddresses.MAX_SIZE);
    int length = SocketAddresses.put(memory.buffer(), address);
    return (int) with(memory, at -> call.on(at, length));
  }

  private interface NameCall {
    int on(long address, long lengthAddress);
  }

  private InetSocketAddress addressFrom(int expectedLength, NameCall call) {
    NativeMemory memory = allocate(SocketAddresses.MAX_SIZE);
    NativeMemory length = ints(SocketAddresses.MAX_SIZE);
    ok(with(memory, at -> with(length, lengthAt -> call.on(at, lengthAt))));
    assertEquals(expectedLength, length.buffer().getInt(0), "length of the address");
    return SocketAddresses.get(memory.buffer());
  }

  InetSocketAddress sockname(int fd, int expectedLength) {
    return addressFrom(expectedLength, (at, length) -> syscalls.getsockname(fd, at, length));
  }

  InetSocketAddress peername(int fd, int expectedLength) {
    return addressFrom(expectedLength, (at, length) -> syscalls.getpeername(fd, at, length));
  }

  Accepted accept(int listener, int flags, int expectedLength) {
    int[] fd = new int[1];
    InetSocketAddress peer =
        addressFrom(
            expectedLength,
            (at, length) -> fd[0] = keep(syscalls.accept4(listener, at, length, flags)));
    return new Accepted(fd[0], peer);
  }

  int option(int fd, int level, int option) {
    NativeMemory value = ints(-1);
    NativeMemory length = ints(Integer.BYTES);
    ok(
        with(
            value,
            at -> with(length, lengthAt -> syscalls.getsockopt(fd, level, option, at, lengthAt))));
    assertEquals(Integer.BYTES, length.buffer().getInt(0), "length of the option");
    return value.buffer().getInt(0);
  }

  int setOption(int fd, int level, int option, int... value) {
    return (int)
        with(
            ints(value),
            at -> syscalls.setsockopt(fd, level, option, at, value.length * Integer.BYTES));
  }

  static boolean isCloseOnExec(int fd) {
    return LibC.check(LibC.C.fcntl(fd, LibC.F_GETFD, 0)) == LibC.FD_CLOEXEC;
  }

  static boolean isNonBlocking(int fd) {
    return (LibC.check(LibC.C.fcntl(fd, LibC.F_GETFL, 0)) & LibC.O_NONBLOCK) != 0;
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static void assertBytes(String expected, byte[] bytes) {
    assertEquals(Arrays.toString(text(expected)), Arrays.toString(bytes));
  }
}
