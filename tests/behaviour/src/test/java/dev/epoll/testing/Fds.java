package dev.epoll.testing;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Raw fds for one test, closed at its end: {@code try (Fds fds = new Fds())}. Those that are given
 * are non-blocking unless the name says otherwise.
 *
 * <p>Their numbers are above all that is opened otherwise. So the number of one that was closed is
 * free until the test itself opens the next, which gets the lowest of them (open(2)): whatever
 * other threads open meanwhile, such as a JVM's for a class, stays below.
 */
public final class Fds implements AutoCloseable {
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int FIRST = 512;

  private final Deque<Integer> open = new ArrayDeque<>();

  /** Two ends of one thing: a pipe's read end and write end, or two connected sockets. */
  public record Pair(int a, int b) {}

  /** Takes over {@code opened}, which gets a number as all here have. */
  public int keep(int opened) {
    int fd = check(C.fcntl(check(opened), F_DUPFD_CLOEXEC, FIRST));
    check(C.close(opened));
    open.push(fd);
    return fd;
  }

  private Pair keep(int[] fds) {
    return new Pair(keep(fds[0]), keep(fds[1]));
  }

  /** a is the read end, b the write end. */
  public Pair pipe() {
    int[] fds = new int[2];
    check(C.pipe2(fds, LibC.O_NONBLOCK | LibC.O_CLOEXEC));
    return keep(fds);
  }

  /** A pipe whose ends block. */
  public Pair blockingPipe() {
    int[] fds = new int[2];
    check(C.pipe2(fds, LibC.O_CLOEXEC));
    return keep(fds);
  }

  /** Two connected Unix stream sockets. */
  public Pair socketpair() {
    int[] fds = new int[2];
    check(C.socketpair(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0, fds));
    return keep(fds);
  }

  public int eventfd(int initialValue) {
    return keep(C.eventfd(initialValue, LibC.O_NONBLOCK | LibC.O_CLOEXEC));
  }

  public int socket(int domain, int type) {
    return keep(C.socket(domain, type | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0));
  }

  public int open(String path, int flags) {
    return keep(C.open(path, flags | LibC.O_CLOEXEC));
  }

  public int dup(int fd) {
    return keep(C.dup(fd));
  }

  /** Closes {@code fd} now. */
  public void close(int fd) {
    open.remove(fd);
    check(C.close(fd));
  }

  /** Leaves {@code fd} to somebody who closes it. */
  public int release(int fd) {
    open.remove(fd);
    return fd;
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      C.close(open.pop());
    }
  }

  /** Writes all of {@code bytes} zero bytes. */
  public static void write(int fd, int bytes) {
    if (C.write(fd, new byte[bytes], bytes) != bytes) {
      throw new AssertionError("short write, errno " + LibC.errno());
    }
  }

  /** Adds to an eventfd. */
  public static void add(int eventfd, long value) {
    byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(value).array();
    check(C.write(eventfd, bytes, 8));
  }

  /** Reads until it would block or the stream ends, and returns how many bytes. */
  public static int drain(int fd) {
    byte[] bytes = new byte[64 * 1024];
    int total = 0;
    while (true) {
      long count = C.read(fd, bytes, bytes.length);
      if (count <= 0) {
        return total;
      }
      total += (int) count;
    }
  }

  /** Writes until it would block, and returns how many bytes. */
  public static int fill(int fd) {
    byte[] bytes = new byte[4096];
    int total = 0;
    for (int size = bytes.length; size > 0; ) {
      long count = C.write(fd, bytes, size);
      if (count > 0) {
        total += (int) count;
      } else {
        size /= 2;
      }
    }
    return total;
  }

  /** What every open fd of this process is, by number; to compare before and after. */
  public static Map<Integer, String> openNow() {
    Map<Integer, String> fds = new TreeMap<>();
    for (File file : Objects.requireNonNull(new File("/proc/self/fd").listFiles())) {
      try {
        fds.put(Integer.valueOf(file.getName()), Files.readSymbolicLink(file.toPath()).toString());
      } catch (IOException listingIsGone) {
        // The fd that the listing itself used.
      }
    }
    return fds;
  }

  /** How many fds this process has open. */
  public static int count() {
    return openNow().size();
  }
}
