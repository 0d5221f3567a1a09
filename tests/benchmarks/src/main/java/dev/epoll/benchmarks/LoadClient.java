package dev.epoll.benchmarks;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.SocketAddresses;
import dev.epoll.sys.Syscalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
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

  private static final Duration LIMIT = Duration.ofSeconds(30);

  // From socket(7), for x86 and ARM
  private static final int SO_SNDTIMEO = 21;

  // An odd number whose multiples have no pattern that a wrong answer could match by chance.
  private static final long STRIDE = 0x9E3779B97F4A7C15L;

  private final Syscalls libc = Backend.syscalls();
  private final String server;
  private final Duration limit;
  private final int[] fds;
  private final long[] sequence;
  private final long[] sentAt;
  private final boolean[] neverAnswered;
  private final NativeMemory sent = NativeMemory.allocate(libc, MESSAGE);
  // More than an answer has, so that one which is too long is noticed.
  private final NativeMemory received = NativeMemory.allocate(libc, 2 * MESSAGE);

  // From 100 ns to more than the limit, to one percent: small, as there is a copy for each turn.
  private final Histogram latencies = new Histogram(100, 2 * LIMIT.toNanos(), 2);
  private int open;
  private long answers;
  private long emptyPolls;
  private int unanswered;
  private int underWay;

  private LoadClient(String server, int connections, Duration limit) {
    this.server = server;
    this.limit = limit;
    this.fds = new int[connections];
    this.sequence = new long[connections];
    this.sentAt = new long[connections];
    this.neverAnswered = new boolean[connections];
  }

  /** Connects {@code connections} times to {@code port} of this machine. */
  static LoadClient connect(String server, int port, int connections) {
    return connect(server, port, connections, LIMIT);
  }

  /** The same with another limit to how long the server may take for an answer. */
  static LoadClient connect(String server, int port, int connections, Duration limit) {
    LoadClient client = new LoadClient(server, connections, limit);
    try {
      for (int i = 0; i < connections; i++) {
        client.fds[i] = client.open(port);
        client.open++;
      }
      return client;
    } catch (Throwable e) {
      client.close();
      throw e;
    }
  }

  private int open(int port) {
    int fd = (int) check("socket", libc.socket(Linux.AF_INET, Linux.SOCK_STREAM, 0));
    try {
      NativeMemory memory = NativeMemory.allocate(libc, SocketAddresses.MAX_SIZE);
      memory.buffer().putLong(0, limit.toSeconds()).putLong(Long.BYTES, 0);
      setOption(fd, Linux.SOL_SOCKET, SO_SNDTIMEO, memory, 2 * Long.BYTES);
      memory.buffer().putInt(0, 1);
      setOption(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, memory, Integer.BYTES);
      int length =
          SocketAddresses.put(
              memory.buffer(), new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      check("connect", libc.connect(fd, memory.address(), length));
      return fd;
    } catch (Throwable e) {
      libc.close(fd);
      throw e;
    }
  }

  private void setOption(int fd, int level, int option, NativeMemory value, int length) {
    check("setsockopt", libc.setsockopt(fd, level, option, value.address(), length));
  }

  /**
   * Sends once on each connection, and waits until each was answered. Before anything else: under
   * load, a server whose accepting thread takes turns with the answering ones may not come to the
   * last connections for half a minute (seen with the JDK's virtual threads on one core).
   */
  void greet() {
    sendOnAll();
    receiveWhatIsUnderWay(System.nanoTime());
  }

  /**
   * Counts what is answered while a window of {@code millis} is open. It opens once every
   * connection has been answered, so with a message under way on each; those under way when it
   * closes are received uncounted.
   */
  Load run(long millis) {
    long answersBefore = answers;
    sendOnAll();
    long sent = System.nanoTime();
    while (unanswered > 0) {
      askAll(true);
      checkLimit(System.nanoTime() - sent, unanswered);
    }

    latencies.reset();
    emptyPolls = 0;
    long opened = System.nanoTime();
    long closed;
    do {
      askAll(true);
      closed = System.nanoTime();
      checkLimit(closed - opened, fds.length);
    } while (closed - opened < millis * 1_000_000 || latencies.getTotalCount() == 0);
    Histogram counted = latencies.copy();
    long countedEmptyPolls = emptyPolls;

    receiveWhatIsUnderWay(closed);
    return new Load(closed - opened, counted, countedEmptyPolls, answers - answersBefore);
  }

  private void receiveWhatIsUnderWay(long since) {
    while (underWay > 0) {
      askAll(false);
      checkLimit(System.nanoTime() - since, underWay);
    }
  }

  private void sendOnAll() {
    Arrays.fill(neverAnswered, true);
    unanswered = fds.length;
    underWay = fds.length;
    for (int i = 0; i < fds.length; i++) {
      send(i, System.nanoTime());
    }
  }

  private void checkLimit(long nanos, int missing) {
    if (nanos > limit.toNanos()) {
      throw new BenchmarkFailure(
          "%s leaves %d of %d connections without an answer"
              .formatted(server, missing, fds.length));
    }
  }

  /** Asks each connection once, and if {@code sendNext} sends on each that was answered. */
  private void askAll(boolean sendNext) {
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
      long now = System.nanoTime();
      latencies.recordValue(now - sentAt[i]);
      answers++;
      if (neverAnswered[i]) {
        neverAnswered[i] = false;
        unanswered--;
      }
      if (sendNext) {
        send(i, now);
      } else {
        sentAt[i] = 0;
        underWay--;
      }
    }
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
    for (int i = 0; i < open; i++) {
      libc.close(fds[i]);
    }
  }
}
