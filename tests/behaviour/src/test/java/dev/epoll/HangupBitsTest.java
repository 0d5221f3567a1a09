package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ERR, HUP and RDHUP of pipes and Unix sockets. */
class HangupBitsTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;
  private static final EventMask ERR = EventMask.ERR;
  private static final EventMask HUP = EventMask.HUP;
  private static final EventMask RDHUP = EventMask.RDHUP;
  private static final EventMask NONE = EventMask.NONE;
  private static final int SOCK_SEQPACKET = 5;
  private static final int ECONNRESET = 104;

  private final Fds fds = new Fds();
  private Epoll epoll;

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open();
  }

  @AfterEach
  void close() {
    epoll.close();
    fds.close();
  }

  @Test
  @Conformance(119)
  void aPipeReaderHangsUpWithoutHavingAsked() throws Exception {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.a(), NONE, 1);
    assertEquals(NONE, Harvest.mask(epoll));
    fds.close(pipe.b());
    assertEquals(HUP, Harvest.mask(epoll));
  }

  @Test
  @Conformance(121)
  void aPipeWithDataHangsUpAsInAndHupAndThenAsHup() throws Exception {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.a(), IN, 0x1234_5678_9abc_def0L);
    Fds.write(pipe.b(), 1);
    fds.close(pipe.b());
    assertEquals(
        List.of(new Harvest.Event(IN.or(HUP), 0x1234_5678_9abc_def0L)), Harvest.now(epoll));
    Fds.drain(pipe.a());
    assertEquals(HUP, Harvest.mask(epoll));
    assertEquals(HUP, Harvest.mask(epoll));
  }

  @Test
  @Conformance(122)
  void aPipeWriterGetsErrOnceItsReaderIsGone() throws Exception {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.b(), ERR, 1);
    assertEquals(NONE, Harvest.mask(epoll));
    fds.close(pipe.a());
    assertEquals(ERR, Harvest.mask(epoll));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1000})
  @Conformance(124)
  void theWriterOfAFullPipeGetsErrWithoutOut(int readFirst) throws Exception {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.b(), OUT, 1);
    Fds.fill(pipe.b());
    assertEquals(readFirst, C.read(pipe.a(), new byte[1000], readFirst));
    assertEquals(NONE, Harvest.mask(epoll));
    WaitingThread waiting = WaitingThread.in(epoll);
    fds.close(pipe.a());
    assertEquals(1, waiting.count());
    assertEquals(ERR, EventMask.of(epoll.ready().mask(0)));
  }

  @Test
  @Conformance(124)
  void theWriterOfAPipeWithSpaceGetsOutAndErr() throws Exception {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.b(), OUT, 1);
    fds.close(pipe.a());
    assertEquals(OUT.or(ERR), Harvest.mask(epoll));
  }

  @Test
  @Conformance(125)
  void closingTheWriterEndsAWaitThatIsBlocked() throws Exception {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.a(), IN, 77);
    WaitingThread waiting = WaitingThread.in(epoll);
    fds.close(pipe.b());
    assertEquals(1, waiting.count());
    assertEquals(77, epoll.ready().data(0));
    assertEquals(HUP, EventMask.of(epoll.ready().mask(0)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Conformance(143)
  void shuttingDownEitherEndWakesAWaiterThatAskedForNothing(boolean own) throws Exception {
    Fds.Pair pair = fds.socketpair();
    epoll.add(pair.a(), NONE, 1);
    WaitingThread waiting = WaitingThread.in(epoll);
    check(C.shutdown(own ? pair.a() : pair.b(), LibC.SHUT_RDWR));
    assertEquals(1, waiting.count());
    assertEquals(HUP, EventMask.of(epoll.ready().mask(0)));
  }

  @Test
  @Conformance(145)
  void aHalfCloseIsRdhupAndBothHalvesAreHup() throws Exception {
    Fds.Pair pair = fds.socketpair();
    epoll.add(pair.a(), RDHUP, 1);
    check(C.shutdown(pair.b(), LibC.SHUT_WR));
    assertEquals(RDHUP, Harvest.mask(epoll));
    assertEquals(RDHUP, Harvest.mask(epoll));
    check(C.shutdown(pair.a(), LibC.SHUT_WR));
    assertEquals(RDHUP.or(HUP), Harvest.mask(epoll));
    assertEquals(RDHUP.or(HUP), Harvest.mask(epoll));
  }

  @Test
  void aClosedPeerOfAUnixSocketIsInOutAndHup() throws Exception {
    Fds.Pair pair = fds.socketpair();
    epoll.add(pair.a(), IN.or(OUT), 1);
    fds.close(pair.b());
    assertEquals(IN.or(OUT).or(HUP), Harvest.mask(epoll));
  }

  @ParameterizedTest
  @ValueSource(ints = {LibC.SOCK_DGRAM, SOCK_SEQPACKET})
  @Conformance(146)
  void aPacketSocketShutDownBothWaysShowsEverything(int type) throws Exception {
    int[] pair = new int[2];
    check(C.socketpair(LibC.AF_UNIX, type | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0, pair));
    try (Epoll peer = Epoll.open()) {
      epoll.add(pair[0], IN.or(OUT).or(RDHUP), 1);
      peer.add(pair[1], IN.or(RDHUP), 2);
      check(C.shutdown(pair[0], LibC.SHUT_RDWR));
      assertEquals(IN.or(OUT).or(RDHUP).or(HUP), Harvest.mask(epoll));
      EventMask seen = type == LibC.SOCK_DGRAM ? NONE : IN.or(RDHUP).or(HUP);
      assertEquals(seen, Harvest.mask(peer));
    } finally {
      check(C.close(pair[0]));
      check(C.close(pair[1]));
    }
  }

  @Test
  @Conformance(140)
  void anUnacceptedUnixConnectionIsResetByItsListener() throws Exception {
    int listener = fds.socket(LibC.AF_UNIX, LibC.SOCK_STREAM);
    byte[] address =
        ByteBuffer.allocate(110).order(ByteOrder.nativeOrder()).putShort((short) 1).array();
    int[] length = {address.length};
    check(LoopbackFds.SOCKETS.bind(listener, address, Short.BYTES)); // the kernel finds a name
    check(LoopbackFds.SOCKETS.getsockname(listener, address, length));
    check(LoopbackFds.SOCKETS.listen(listener, 8));
    for (int i = 0; i < 2; i++) {
      int client = fds.socket(LibC.AF_UNIX, LibC.SOCK_STREAM);
      check(LoopbackFds.SOCKETS.connect(client, address, length[0]));
      epoll.add(client, NONE, i);
    }
    fds.close(listener);
    List<Harvest.Event> events = Harvest.now(epoll);
    assertEquals(
        List.of(new Harvest.Event(ERR.or(HUP), 0), new Harvest.Event(ERR.or(HUP), 1)), events);
    List<Epoll.Entry> clients = epoll.entries();
    assertEquals(-1, C.read(clients.get(0).fd(), new byte[1], 1));
    assertEquals(ECONNRESET, LibC.errno());
    assertEquals(0, C.read(clients.get(0).fd(), new byte[1], 1));
    assertEquals(ECONNRESET, LoopbackFds.takeError(clients.get(1).fd()));
    assertEquals(0, LoopbackFds.takeError(clients.get(1).fd()));
  }
}
