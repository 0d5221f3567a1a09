package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.Registration;
import dev.epoll.Rounds;
import dev.epoll.SyscallException;
import dev.epoll.Waiter;
import dev.epoll.fd.ByteSource;
import dev.epoll.fd.Pipe;
import dev.epoll.fd.RegularFile;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import dev.epoll.testing.PollerKind;
import dev.epoll.testing.Running;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Streams rest on edges, of which the kernel tells once: whatever else happens to the connection,
 * no byte, end or room stays unnoticed, and nobody spins.
 */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
@SuppressWarnings("try") // A held waiter is for its end alone; streams are closed in the middle.
class StreamEdgesTest {
  private static final int MSG_PEEK = 2;

  @Parameter private PollerKind kind;
  private TcpPair pair;
  private TcpStream client;
  private TcpStream server;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open(kind);
    client = pair.client();
    client.setOption(StandardSocketOptions.TCP_NODELAY, true);
    server = pair.server();
    // From here on the server's registration is edge-triggered, and has nothing to read.
    Running<String> first = reading(server);
    client.tryWrite(bytes("first"));
    assertEquals("first", first.result());
    assertTrue(server.isDrained());
  }

  @AfterEach
  void close() {
    pair.close();
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(US_ASCII));
  }

  /** One read, as text; "end" at the end of the stream. */
  private static String read(ByteSource source) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(100);
    int count = source.blocking().read(target);
    return count < 0 ? "end" : new String(target.array(), 0, count, US_ASCII);
  }

  private static Running<String> reading(ByteSource source) {
    return Running.of(() -> read(source)).waitingOn(source.registration());
  }

  private static String nextRead(ByteSource source) throws Exception {
    return Running.of(() -> read(source)).result();
  }

  /** Keeps the poller from taking in any edge until it is closed. */
  private static final class Held implements AutoCloseable {
    private final CountDownLatch release = new CountDownLatch(1);

    Held(Poller poller) {
      CountDownLatch held = new CountDownLatch(1);
      poller.execute(
          () -> {
            held.countDown();
            Eventually.until("released", () -> release.getCount() == 0);
          });
      Eventually.until("held", () -> held.getCount() == 0);
    }

    @Override
    public void close() {
      release.countDown();
    }
  }

  private static void until(Registration registration, Interest interest) {
    Eventually.until(
        "it is ready for " + interest,
        () -> !registration.blockUntil(interest, Duration.ZERO).isNone());
  }

  /** Waits until {@code stream} has taken in an edge since there were {@code edges}. */
  private static void untilEdge(StreamSocket<?> stream, int edges) {
    Eventually.until("an edge comes", () -> stream.registration().edges() != edges);
  }

  @Test
  void theEndThatCameTogetherWithBytesIsRead() throws Exception {
    try (Held held = new Held(pair.poller())) {
      client.tryWrite(bytes("last"));
      client.shutdownOutput();
      Eventually.until(
          "the end is there",
          () -> server.registration().blockUntil(Interest.READABLE, Duration.ZERO).isReadClosed());
      ByteBuffer target = ByteBuffer.allocate(100);
      assertEquals(4, server.tryRead(target));
    }
    assertEquals("end", nextRead(server));
  }

  @Test
  void theEndThatIsKnownBeforeItsBytesAreReadIsReadAfterThem() throws Exception {
    int edges = server.registration().edges();
    client.tryWrite(bytes("last"));
    client.shutdownOutput();
    Eventually.until("its edge came", () -> server.registration().hadExceptionalEdge());
    assertTrue(server.registration().edges() != edges);
    assertEquals("last", nextRead(server));
    assertFalse(server.isDrained(), "a read that stopped in front of the end shows nothing");
    assertEquals("end", nextRead(server));
    assertEquals("end", nextRead(server));
  }

  @Test
  void theEndOfAUnixStreamThatCameTogetherWithBytesIsRead() throws Exception {
    try (UnixStream.Pair unix = UnixStream.pair(pair.poller())) {
      Running<String> first = reading(unix.first());
      unix.second().tryWrite(bytes("first"));
      assertEquals("first", first.result());
      try (Held held = new Held(pair.poller())) {
        unix.second().tryWrite(bytes("last"));
        unix.second().close();
        assertEquals(4, unix.first().tryRead(ByteBuffer.allocate(100)));
      }
      assertEquals("end", nextRead(unix.first()));
    }
  }

  @Test
  void aResetIsToldToAReaderThatWaitsAndToOneThatDrainedBefore() throws Exception {
    Running<String> waiting = reading(server);
    client.setOption(StandardSocketOptions.SO_LINGER, 0);
    client.close();
    SyscallException e = (SyscallException) waiting.failure();
    assertEquals("ECONNRESET", e.errnoName());
    assertEquals("end", nextRead(server));
    try (TcpPair other = TcpPair.open(kind)) {
      other.client().tryWrite(bytes("first"));
      assertEquals("first", nextRead(other.server()));
      assertTrue(other.server().isDrained());
      other.client().setOption(StandardSocketOptions.SO_LINGER, 0);
      other.client().close();
      e = (SyscallException) Running.of(() -> read(other.server())).failure();
      assertEquals("ECONNRESET", e.errnoName());
    }
  }

  @Test
  void shutdownInputEndsTheReaderThatWaitsAndThoseThatCome() throws Exception {
    Running<String> waiting = reading(server);
    server.shutdownInput();
    assertEquals("end", waiting.result());
    assertEquals("end", nextRead(server));
    try (UnixStream.Pair unix = UnixStream.pair(pair.poller())) {
      waiting = reading(unix.first());
      unix.first().shutdownInput();
      assertEquals("end", waiting.result());
      assertEquals("end", nextRead(unix.first()));
    }
  }

  @Test
  void shutdownInputEndsTheReadOfOneThatHadDrainedIt() throws Exception {
    try (Held held = new Held(pair.poller())) {
      server.shutdownInput();
      assertTrue(server.isDrained());
    }
    assertEquals("end", nextRead(server));
  }

  @Test
  void shutdownOutputEndsTheWriterThatWaits() throws Exception {
    Running<Integer> writing =
        Running.of(() -> client.blocking().write(ByteBuffer.allocate(50_000_000)))
            .waitingOn(client.registration());
    client.shutdownOutput();
    assertEquals("EPIPE", ((SyscallException) writing.failure()).errnoName());
  }

  @Test
  void bytesBehindAnUrgentByteAreRead() throws Exception {
    for (int round = 0; round < 3; round++) {
      int edges = server.registration().edges();
      client.tryWrite(bytes("before"));
      client.tryWriteUrgent((byte) '!');
      client.tryWrite(bytes("behind"));
      untilEdge(server, edges);
      assertEquals("before", nextRead(server));
      assertEquals("behind", nextRead(server));
    }
  }

  @Test
  void bytesBehindAnUrgentByteAreReadThoughItsEdgeIsStillToCome() throws Exception {
    try (Held held = new Held(pair.poller())) {
      client.tryWrite(bytes("before"));
      client.tryWriteUrgent((byte) '!');
      client.tryWrite(bytes("behind"));
      until(server.registration(), Interest.PRIORITY);
      assertEquals(6, server.tryRead(ByteBuffer.allocate(100)));
    }
    assertEquals("behind", nextRead(server));
  }

  @Test
  void bytesBehindAnUrgentByteAreReadThoughThatWasTakenBeforeItsEdgeCame() throws Exception {
    int edges = server.registration().edges();
    try (Held held = new Held(pair.poller())) {
      client.tryWrite(bytes("before"));
      client.tryWriteUrgent((byte) '!');
      client.tryWrite(bytes("behind"));
      Eventually.until("the urgent byte is there", () -> server.tryReadUrgent() == '!');
    }
    untilEdge(server, edges);
    assertEquals("before", nextRead(server));
    assertEquals("behind", nextRead(server));
  }

  @Test
  void whoAwaitsOnTheRegistrationItselfTakesNoEdgeFromTheReader() throws Exception {
    Running<String> waiting = reading(server);
    for (int i = 0; i < 1000; i++) {
      // Each is an epoll_ctl, which makes what was harvested before stale.
      server.registration().blockUntil(Interest.WRITABLE);
    }
    Running<Readiness> alsoWaiting =
        Running.of(() -> server.registration().blockUntil(Interest.READABLE));
    client.tryWrite(bytes("text"));
    assertEquals("text", waiting.result());
    // That is level-triggered: it may have come to wait only now.
    client.tryWrite(bytes("more"));
    assertTrue(alsoWaiting.result().isReadable());
    assertEquals("more", nextRead(server));
  }

  @Test
  void anEventThatAnotherAwaitMakesStaleIsReportedAgain() throws Exception {
    try (Pipe pipe = Pipe.open(pair.poller())) {
      List<Readiness> told = new CopyOnWriteArrayList<>();
      Running<String> waiting = reading(server);
      // Whichever of the two events is dispatched first, the other one is harvested by then.
      for (Registration registration :
          List.of(pipe.source().registration(), server.registration())) {
        registration.arm(
            Interest.READABLE,
            new Telling(
                readiness -> {
                  told.add(readiness);
                  server.registration().arm(Interest.PRIORITY, new Telling(unused -> {}));
                }));
      }
      try (Held held = new Held(pair.poller())) {
        pipe.sink().tryWrite(bytes("x"));
        client.tryWrite(bytes("text"));
        until(server.registration(), Interest.READABLE);
      }
      assertEquals("text", waiting.result());
      Eventually.until("both are told", () -> told.size() == 2);
    }
  }

  private interface Reaction {
    void to(Readiness readiness) throws IOException;
  }

  private record Telling(Reaction reaction) implements Waiter {
    @Override
    public void ready(Readiness readiness) {
      try {
        reaction.to(readiness);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void failed(IOException cause) {}
  }

  @Test
  void anAwaitThatIsCancelledAfterItsEdgeCameLosesNothing() throws Exception {
    for (int i = 0; i < 400; i++) {
      Running<String> waiting = reading(server);
      if (i % 2 == 0) {
        client.tryWrite(bytes("text"));
        waiting.interrupt();
      } else {
        waiting.interrupt();
        client.tryWrite(bytes("text"));
      }
      String read;
      try {
        read = waiting.result();
      } catch (InterruptedIOException e) {
        read = nextRead(server);
      }
      assertEquals("text", read);
    }
  }

  @Test
  void severalReadersShareTheBytesAndAllReadTheEnd() throws Exception {
    int total = 2_000_000;
    List<Running<Integer>> readers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int size = 100 << i;
      readers.add(Running.of(() -> readToTheEnd(server, size)));
    }
    Running<Integer> writer = Running.of(() -> client.blocking().write(ByteBuffer.allocate(total)));
    assertEquals(total, writer.result());
    client.shutdownOutput();
    int read = 0;
    for (Running<Integer> reader : readers) {
      read += reader.result();
    }
    assertEquals(total, read);
  }

  private static int readToTheEnd(StreamSocket<?> stream, int size) throws IOException {
    int total = 0;
    for (int count = 0; count >= 0; count = stream.blocking().read(ByteBuffer.allocate(size))) {
      total += count;
    }
    return total;
  }

  @Test
  void severalWritersAllGetRoomAndEveryCallOfThemIsHeard() throws Exception {
    try (RegularFile file = temporaryFile(300_000)) {
      List<Running<Long>> writers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        writers.add(
            Running.of(() -> (long) client.blocking().write(ByteBuffer.allocate(3_000_000))));
        writers.add(Running.of(() -> gather(client, 3_000_000)));
        writers.add(Running.of(() -> sendFile(client, file, 300_000)));
      }
      Running<Integer> reader = Running.of(() -> readToTheEnd(server, 10_000));
      long written = 0;
      for (Running<Long> writer : writers) {
        written += writer.result();
      }
      client.shutdownOutput();
      assertEquals(12_600_000, written);
      assertEquals(12_600_000, reader.result());
    }
  }

  private static RegularFile temporaryFile(int bytes) throws IOException {
    Path path = Files.createTempFile("sent", "");
    try {
      Files.write(path, new byte[bytes]);
      return RegularFile.open(path);
    } finally {
      Files.delete(path);
    }
  }

  private static long gather(TcpStream stream, int bytes) throws Exception {
    ByteBuffer[] sources = {ByteBuffer.allocate(bytes / 2), ByteBuffer.allocateDirect(bytes / 2)};
    long total = 0;
    while (total < bytes) {
      long count = stream.tryWrite(sources);
      if (count == 0) {
        stream.registration().blockOn(stream::armWrite);
      }
      total += count;
    }
    return total;
  }

  private static long sendFile(TcpStream stream, RegularFile file, int bytes) throws Exception {
    long total = 0;
    while (total < bytes) {
      long count = stream.trySendFile(file, total, bytes - total);
      if (count == 0) {
        stream.registration().blockOn(stream::armWrite);
      }
      total += count;
    }
    return total;
  }

  @Test
  void aReceiveLowWaterMarkHoldsBackAndLosesNothing() throws Exception {
    try (LoopbackFds fds = new LoopbackFds()) {
      Fds.Pair raw = fds.pair();
      LoopbackFds.set(raw.b(), LoopbackFds.SOL_SOCKET, LoopbackFds.SO_RCVLOWAT, 10);
      try (TcpStream stream = TcpStream.adopt(pair.poller(), C.dup(raw.b()))) {
        Running<String> waiting = reading(stream);
        long resumes = pair.poller().stats().resumes();
        send(raw.a(), "four");
        Rounds.pass(pair.poller());
        assertEquals(resumes, pair.poller().stats().resumes(), "nobody is woken for less");
        assertFalse(waiting.isDone());
        send(raw.a(), "andtwelve!");
        assertEquals("fourandtwelve!", waiting.result());
        send(raw.a(), "few");
        C.shutdown(raw.a(), LibC.SHUT_WR);
        assertEquals("few", nextRead(stream));
        assertEquals("end", nextRead(stream));
      }
    }
  }

  private static void send(int fd, String text) {
    assertEquals(text.length(), C.send(fd, text.getBytes(US_ASCII), text.length(), 0));
  }

  @Test
  void whatAnotherOwnerOfTheSocketDoesToItLeavesNobodyWaiting() throws Exception {
    try (LoopbackFds fds = new LoopbackFds()) {
      Fds.Pair raw = fds.pair();
      try (TcpStream stream = TcpStream.adopt(pair.poller(), C.dup(raw.b()))) {
        for (int i = 0; i < 100; i++) {
          Running<String> waiting = reading(stream);
          send(raw.a(), "for the other");
          // It takes all, some or nothing of it, before, while or after we do.
          C.recv(raw.b(), new byte[7], 7, 0);
          send(raw.a(), "#");
          StringBuilder read = new StringBuilder(waiting.result());
          while (read.charAt(read.length() - 1) != '#') {
            read.append(nextRead(stream));
          }
        }
        // The other one fills it, behind our back; we get the room nevertheless.
        Fds.fill(raw.b());
        assertEquals(0, stream.tryWrite(bytes("x")));
        Running<Integer> writing =
            Running.of(() -> stream.blocking().write(bytes("x"))).waitingOn(stream.registration());
        Running<Integer> draining = Running.of(() -> drainTo(raw.a(), 'x'));
        assertEquals(1, writing.result());
        assertTrue(draining.result() > 0);
      }
    }
  }

  /** Reads until the last byte that is there is {@code last}; how many bytes. */
  private static int drainTo(int fd, char last) throws InterruptedException {
    byte[] target = new byte[1 << 16];
    for (int total = 0; ; ) {
      int count = (int) C.recv(fd, target, target.length, 0);
      if (count > 0) {
        total += count;
        if (target[count - 1] == last) {
          return total;
        }
      } else {
        Thread.sleep(1);
      }
    }
  }

  @Test
  void readsStopBetweenPassedDescriptorsAndGoOn() throws Exception {
    try (UnixStream.Pair unix = UnixStream.pair(pair.poller())) {
      Running<String> waiting = reading(unix.first());
      try (Held held = new Held(pair.poller())) {
        for (String text : List.of("one", "two", "three")) {
          unix.second().tryWriteWithFds(bytes(text), client.fd());
        }
      }
      StringBuilder read = new StringBuilder(waiting.result());
      while (read.length() < 11) {
        read.append(nextRead(unix.first()));
      }
      assertEquals("onetwothree", read.toString());
    }
  }

  @Test
  void whatCameBeforeThePollerEndedIsReadAfterIt() throws Exception {
    try (Poller other = kind.open();
        TcpListener listener = TcpListener.bind(other, TcpPair.anyPort());
        TcpStream near = TcpStream.connect(other, listener.localAddress());
        TcpStream far = TcpPair.accept(listener)) {
      Running<String> first = reading(far);
      near.tryWrite(bytes("first"));
      assertEquals("first", first.result());
      other.close();
      near.tryWrite(bytes("last"));
      Eventually.until("it is there", () -> C.recv(far.fd(), new byte[4], 4, MSG_PEEK) == 4);
      assertEquals("last", nextRead(far));
      Throwable e = Running.of(() -> read(far)).failure();
      assertEquals(ClosedPollerException.class, e.getClass());
    }
  }

  /** Tries until there is a result, and waits in between. */
  private static Running<Integer> trying(
      StreamSocket<?> stream, Registration.Arming arming, Callable<Integer> attempt) {
    return Running.of(
        () -> {
          int result;
          while ((result = attempt.call()) == 0) {
            stream.registration().blockOn(arming);
          }
          return result;
        });
  }

  @Test
  void whoFindsNothingByAnyCallComesToWait() throws Exception {
    try (UnixStream.Pair unix = UnixStream.pair(pair.poller());
        ReceivedFds fds = new ReceivedFds(1)) {
      UnixStream stream = unix.first();
      Running<String> first = reading(stream);
      unix.second().tryWrite(bytes("first"));
      first.result();
      ByteBuffer target = ByteBuffer.allocate(100);
      Running<Integer> reader =
          trying(stream, stream::armRead, () -> stream.tryReadWithFds(target, fds))
              .waitingOn(stream.registration());
      assertFalse(reader.isDone());
      unix.second().tryWriteWithFds(bytes("text"), client.fd());
      assertEquals(4, reader.result());
    }
  }

  @Test
  void whoFindsNoRoomByAnyCallComesToWait() throws Exception {
    try (UnixStream.Pair unix = UnixStream.pair(pair.poller())) {
      UnixStream stream = unix.first();
      reading(stream);
      untilEdge(stream, 0);
      Fds.fill(stream.fd());
      Running<Integer> writer =
          trying(stream, stream::armWrite, () -> stream.tryWriteWithFds(bytes("x"), client.fd()));
      Eventually.until("both wait", () -> waiters(stream) == 2);
      Fds.drain(unix.second().fd());
      assertEquals(1, writer.result());
    }
    Fds.fill(server.fd());
    Running<Integer> writer =
        trying(server, server::armWrite, () -> server.tryWriteUrgent((byte) 'x') ? 1 : 0)
            .waitingOn(server.registration());
    assertFalse(writer.isDone());
    Running<Integer> reader = Running.of(() -> readToTheEnd(client, 100_000));
    assertEquals(1, writer.result());
    server.shutdownOutput();
    assertTrue(reader.result() > 0);
  }

  private static int waiters(StreamSocket<?> stream) {
    return stream.registration().poller().snapshot().registrations().stream()
        .filter(watched -> watched.fd() == stream.fd())
        .mapToInt(watched -> watched.waiters())
        .sum();
  }
}
