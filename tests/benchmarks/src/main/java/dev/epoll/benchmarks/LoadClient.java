package dev.epoll.benchmarks;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.SocketAddresses;
import dev.epoll.sys.Syscalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.HdrHistogram.Histogram;

/**
 * Connections to an echo server, with one message under way on each. The same for every server.
 *
 * <p>It never sleeps: a server whose client sleeps pays for waking it, or does not, depending on
 * which of the two is faster, and its figure says little. And it asks every connection in turn
 * instead of an epoll set: that costs the server nothing, whereas with a set the kernel would do
 * the client's bookkeeping on the server's core, when the server sends.
 *
 * <p>Thread: one.
 */
final class LoadClient implements AutoCloseable {
  static final int MESSAGE = 64;

  private static final long STALL_NANOS = 30_000_000_000L;
  // An odd number whose multiples have no pattern that a wrong answer could match by chance.
  private static final long STRIDE = 0x9E3779B97F4A7C15L;

  private final Syscalls libc = Backend.syscalls();
  private final String server;
  private final int[] fds;
  private final long[] sequence;
  private final long[] sentAt;
  private final NativeMemory sent = NativeMemory.allocate(libc, MESSAGE);
  // More than an answer has, so that one which is too long is noticed.
  private final NativeMemory received = NativeMemory.allocate(libc, 2 * MESSAGE);

  private final Histogram latencies = new Histogram(60_000_000_000L, 3);
  private long end;
  private long emptyPolls;
  private int underWay;

  private LoadClient(String server, int connections) {
    this.server = server;
    this.fds = new int[connections];
    this.sequence = new long[connections];
    this.sentAt = new long[connections];
  }

  /** Connects {@code connections} times to {@code port} of this machine. */
  static LoadClient connect(String server, int port, int connections) {
    LoadClient client = new LoadClient(server, connections);
    for (int i = 0; i < connections; i++) {
      client.fds[i] = client.open(port);
    }
    return client;
  }

  private int open(int port) {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    NativeMemory memory = NativeMemory.allocate(libc, SocketAddresses.MAX_SIZE);
    int fd = (int) check("socket", libc.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0));
    int length = SocketAddresses.put(memory.buffer(), address);
    check("connect", libc.connect(fd, memory.address(), length));
    memory.buffer().putInt(0, 1);
    check(
        "setsockopt",
        libc.setsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, memory.address(), Integer.BYTES));
    return fd;
  }

  /** Sends and receives for {@code millis}, and then receives what is still under way. */
  Load run(long millis) {
    latencies.reset();
    emptyPolls = 0;
    long start = System.nanoTime();
    end = start + millis * 1_000_000;
    underWay = fds.length;
    for (int i = 0; i < fds.length; i++) {
      send(i, System.nanoTime());
    }
    long progress = System.nanoTime();
    while (underWay > 0) {
      long now = askAll();
      if (now != 0) {
        progress = now;
      } else if (System.nanoTime() - progress > STALL_NANOS) {
        throw new BenchmarkFailure(
            "%s leaves %d of %d messages without an answer"
                .formatted(server, underWay, fds.length));
      }
    }
    return new Load(latencies.getTotalCount(), millis, latencies.copy(), emptyPolls);
  }

  /** Asks each connection once; returns the time of the last answer, 0 if there was none. */
  private long askAll() {
    long last = 0;
    for (int i = 0; i < fds.length; i++) {
      if (sentAt[i] == 0) {
        continue;
      }
      long count = libc.recv(fds[i], received.address(), 2 * MESSAGE, Linux.MSG_DONTWAIT);
      if (Errno.EAGAIN.is(count)) {
        emptyPolls++;
        continue;
      }
      checkAnswer(i, count);
      last = System.nanoTime();
      latencies.recordValue(last - sentAt[i]);
      if (last < end) {
        send(i, last);
      } else {
        sentAt[i] = 0;
        underWay--;
      }
    }
    return last;
  }

  private void send(int connection, long now) {
    sentAt[connection] = now;
    long word = firstWord(connection, ++sequence[connection]);
    for (int i = 0; i < MESSAGE; i += Long.BYTES) {
      sent.buffer().putLong(i, word);
      word += STRIDE;
    }
    long count =
        libc.send(
            fds[connection], sent.address(), MESSAGE, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL);
    if (count != MESSAGE) {
      throw new BenchmarkFailure("sending to %s returned %d".formatted(server, count));
    }
  }

  private void checkAnswer(int connection, long count) {
    boolean same = count == MESSAGE;
    long word = firstWord(connection, sequence[connection]);
    for (int i = 0; same && i < MESSAGE; i += Long.BYTES) {
      same = received.buffer().getLong(i) == word;
      word += STRIDE;
    }
    if (!same) {
      throw new BenchmarkFailure(
          "%s answered wrongly: connection %d, message %d, recv returned %d"
              .formatted(server, connection, sequence[connection], count));
    }
  }

  private static long firstWord(int connection, long sequence) {
    return (long) connection << 48 | sequence;
  }

  private static long check(String call, long result) {
    if (result < 0) {
      throw new BenchmarkFailure("%s failed: %s".formatted(call, Errno.name((int) -result)));
    }
    return result;
  }

  @Override
  public void close() {
    for (int fd : fds) {
      libc.close(fd);
    }
  }
}
