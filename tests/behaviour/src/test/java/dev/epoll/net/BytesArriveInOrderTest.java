package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.fd.ByteSink;
import dev.epoll.fd.ByteSource;
import dev.epoll.fd.ChildProcess;
import dev.epoll.fd.Pipe;
import dev.epoll.fd.Pty;
import dev.epoll.fd.RawFd;
import dev.epoll.fd.Terminal;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LoopbackFds;
import dev.epoll.testing.PollerKind;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Random bytes in random pieces, from and into buffers of random kinds. */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class BytesArriveInOrderTest {
  private static final int LENGTH = 3_000_000;

  @Parameter private PollerKind kind;
  private final long seed = new Random().nextLong();
  private final byte[] sent = new byte[LENGTH];

  BytesArriveInOrderTest() {
    new Random(seed).nextBytes(sent);
  }

  @Test
  void throughAPipe() throws Exception {
    try (Poller poller = kind.open();
        Pipe pipe = Pipe.open(poller)) {
      arriveInOrder(pipe.sink(), pipe.source());
    }
  }

  @Test
  void throughAConnection() throws Exception {
    try (TcpPair pair = TcpPair.open(kind)) {
      arriveInOrder(pair.client(), pair.server());
    }
  }

  @Test
  void throughAUnixConnection() throws Exception {
    try (Poller poller = kind.open();
        UnixStream.Pair pair = UnixStream.pair(poller)) {
      arriveInOrder(pair.first(), pair.second());
    }
  }

  @Test
  void throughAMultipathConnectionOfSomebodyElse() throws Exception {
    assumeTrue(LoopbackFds.has(LoopbackFds.IPPROTO_MPTCP), "a kernel without MPTCP");
    try (LoopbackFds fds = new LoopbackFds();
        Poller poller = kind.open()) {
      Fds.Pair pair = fds.pair(LoopbackFds.IPPROTO_MPTCP);
      try (TcpStream a = TcpStream.adopt(poller, fds.release(pair.a()));
          TcpStream b = TcpStream.adopt(poller, fds.release(pair.b()))) {
        arriveInOrder(a, b);
      }
    }
  }

  @Test
  void throughAChildProcess() throws Exception {
    try (Poller poller = kind.open();
        ChildProcess cat = ChildProcess.start(poller, new ProcessBuilder("cat"))) {
      arriveInOrder(cat.stdin(), cat.stdout());
    }
  }

  @Test
  void throughATerminalInRawMode() throws Exception {
    try (Poller poller = kind.open();
        Pty pty = Pty.open(poller);
        Terminal terminal = pty.openTerminal()) {
      var unused = terminal.rawMode(); // Its settings go with the pty.
      arriveInOrder(terminal, pty);
    }
  }

  @Test
  void throughASocketpairOfSomebodyElse() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = kind.open()) {
      Fds.Pair pair = fds.socketpair();
      try (RawFd a = RawFd.own(poller, fds.release(pair.a()));
          RawFd b = RawFd.own(poller, fds.release(pair.b()))) {
        arriveInOrder(a, b);
      }
    }
  }

  @Test
  void throughABlockingPipeOfSomebodyElse() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = kind.open()) {
      Fds.Pair pipe = fds.blockingPipe();
      try (RawFd source = RawFd.own(poller, fds.release(pipe.a()));
          RawFd sink = RawFd.own(poller, fds.release(pipe.b()))) {
        arriveInOrder(sink, source);
      }
    }
  }

  private void arriveInOrder(ByteSink sink, ByteSource source) throws Exception {
    Running<Boolean> writer = Running.of(() -> writeAll(sink));
    assertArrayEquals(sent, readAll(source), "seed " + seed);
    writer.result();
  }

  private boolean writeAll(ByteSink sink) throws Exception {
    Random random = new Random(seed);
    for (int at = 0; at < LENGTH; ) {
      ByteBuffer piece = buffer(random, Math.min(size(random), LENGTH - at));
      int start = piece.position();
      piece.put(sent, at, piece.remaining()).position(start);
      ByteBuffer source = random.nextBoolean() ? piece : piece.asReadOnlyBuffer();
      at += random.nextBoolean() ? sink.blocking().write(source) : writeSome(sink, source);
    }
    sink.close();
    return true;
  }

  /** Checks that the position moves by what was written. */
  private int writeSome(ByteSink sink, ByteBuffer source) throws Exception {
    int before = source.position();
    int limit = source.limit();
    int count = sink.tryWrite(source);
    assertEquals(before + count, source.position(), "seed " + seed);
    assertEquals(limit, source.limit(), "seed " + seed);
    if (count == 0) {
      sink.registration().blockUntil(Interest.WRITABLE);
    }
    return count;
  }

  private byte[] readAll(ByteSource source) throws Exception {
    Random random = new Random(~seed);
    byte[] received = new byte[LENGTH];
    for (int at = 0; ; ) {
      ByteBuffer target = buffer(random, size(random));
      int start = target.position();
      int limit = target.limit();
      int count = random.nextBoolean() ? source.blocking().read(target) : readSome(source, target);
      if (count < 0) {
        assertEquals(LENGTH, at, "seed " + seed);
        return received;
      }
      assertEquals(start + count, target.position(), "seed " + seed);
      assertEquals(limit, target.limit(), "seed " + seed);
      target.position(start);
      target.get(received, at, count);
      at += count;
    }
  }

  private static int readSome(ByteSource source, ByteBuffer target) throws Exception {
    int count = source.tryRead(target);
    if (count == 0) {
      source.registration().blockUntil(Interest.READABLE);
    }
    return count;
  }

  private static int size(Random random) {
    return 1 << random.nextInt(18) | random.nextInt(100) + 1;
  }

  /** A buffer with {@code remaining} bytes, heap or direct, perhaps sliced, with bytes around. */
  private static ByteBuffer buffer(Random random, int remaining) {
    int before = random.nextInt(20);
    int total = before + remaining + random.nextInt(20);
    ByteBuffer whole =
        random.nextBoolean() ? ByteBuffer.allocate(total) : ByteBuffer.allocateDirect(total);
    ByteBuffer part = whole.position(before).limit(before + remaining);
    return random.nextBoolean() ? part : part.slice();
  }
}
