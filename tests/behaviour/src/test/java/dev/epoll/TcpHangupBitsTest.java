package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ERR, HUP and RDHUP of TCP sockets. */
class TcpHangupBitsTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;
  private static final EventMask ERR = EventMask.ERR;
  private static final EventMask HUP = EventMask.HUP;
  private static final EventMask RDHUP = EventMask.RDHUP;
  private static final EventMask NONE = EventMask.NONE;
  private static final EventMask ET = EventMask.EDGE_TRIGGERED;
  private static final EventMask ALL = IN.or(OUT).or(RDHUP);
  private static final int ECONNREFUSED = 111;
  private static final int ECONNRESET = 104;

  private final LoopbackFds fds = new LoopbackFds();
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

  private static long read(int fd, int size) {
    return C.read(fd, new byte[size], size);
  }

  @Test
  @Conformance({127, 128})
  void aHalfCloseIsRdhupAndBothHalvesAddHup() throws Exception {
    Fds.Pair tcp = fds.pair();
    epoll.add(tcp.a(), ALL, 1);
    check(C.shutdown(tcp.b(), LibC.SHUT_WR));
    Harvest.settles(epoll, ALL);
    assertEquals(0, read(tcp.a(), 1));
    Fds.write(tcp.a(), 5);
    Eventually.until("the peer gets it", () -> Fds.drain(tcp.b()) == 5);
    check(C.shutdown(tcp.a(), LibC.SHUT_WR));
    Harvest.settles(epoll, ALL.or(HUP));
  }

  @Test
  @Conformance(127)
  void aHalfCloseIsInAloneForWhoDidNotAskForRdhup() throws Exception {
    Fds.Pair tcp = fds.pair();
    epoll.add(tcp.a(), IN, 1);
    check(C.shutdown(tcp.b(), LibC.SHUT_WR));
    assertEquals(IN, Harvest.nextMask(epoll));
  }

  @Test
  @Conformance(130)
  void ourOwnHalfCloseIsNoHangup() throws Exception {
    Fds.Pair tcp = fds.pair();
    epoll.add(tcp.a(), OUT, 1);
    check(C.shutdown(tcp.a(), LibC.SHUT_WR));
    Harvest.settles(epoll, OUT);
    epoll.modify(tcp.a(), IN, 1);
    Harvest.staysQuiet(epoll);
    Fds.write(tcp.b(), 3);
    assertEquals(IN, Harvest.nextMask(epoll));
    assertEquals(3, read(tcp.a(), 10));
  }

  @Test
  @Conformance(131)
  void aPeerThatStopsReadingIsNotSeenUntilItResets() throws Exception {
    Fds.Pair tcp = fds.pair();
    epoll.add(tcp.a(), IN.or(RDHUP), 1);
    Fds.write(tcp.a(), 1);
    check(C.shutdown(tcp.b(), LibC.SHUT_RD));
    Harvest.staysQuiet(epoll);
    fds.close(tcp.b());
    Harvest.settles(epoll, IN.or(RDHUP).or(ERR).or(HUP));
  }

  @Test
  @Conformance(133)
  void aResetIsReportedOnceToAnEdgeTriggeredClient() throws Exception {
    Fds.Pair tcp = fds.pair();
    epoll.add(tcp.a(), IN.or(RDHUP).or(ET), 1);
    fds.abort(tcp.b());
    EventMask reset = Harvest.nextMask(epoll);
    assertTrue(reset.contains(IN.or(RDHUP).or(HUP)), reset::toString);
    Harvest.staysQuiet(epoll);
    assertEquals(ECONNRESET, LoopbackFds.takeError(tcp.a()));
  }

  @Test
  @Conformance(134)
  void dataThatCameBeforeTheResetCanStillBeRead() throws Exception {
    Fds.Pair tcp = fds.pair();
    epoll.add(tcp.a(), IN.or(RDHUP), 1);
    Fds.write(tcp.b(), 10);
    assertEquals(IN, Harvest.nextMask(epoll));
    Fds.write(tcp.a(), 10);
    try (Epoll arrival = Epoll.open()) {
      arrival.add(tcp.b(), IN, 2);
      assertEquals(IN, Harvest.nextMask(arrival));
    }
    fds.close(tcp.b());
    Harvest.settles(epoll, IN.or(RDHUP).or(ERR).or(HUP));
    assertEquals(10, read(tcp.a(), 100));
    assertEquals(-1, read(tcp.a(), 100));
    assertEquals(ECONNRESET, LibC.errno());
    assertEquals(IN.or(RDHUP).or(HUP), Harvest.mask(epoll));
  }

  @Test
  @Conformance(136)
  void aRefusedConnectWakesWhoAskedForNothing() throws Exception {
    int listener = fds.listener(1);
    int port = LoopbackFds.port(listener);
    fds.close(listener);
    int client = fds.connecting(port);
    epoll.add(client, NONE, 1);
    assertEquals(ERR.or(HUP), Harvest.nextMask(epoll));
    assertEquals(ECONNREFUSED, LoopbackFds.takeError(client));
  }

  @Test
  @Conformance(137)
  void aFreshSocketIsOutAndHup() throws Exception {
    epoll.add(fds.tcp(), ALL, 1);
    for (int i = 0; i < 3; i++) {
      assertEquals(OUT.or(HUP), Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(139)
  void aListenerThatClosesBeforeItAcceptsShowsEverything() throws Exception {
    int listener = fds.listener(8);
    int client = fds.connecting(LoopbackFds.port(listener));
    epoll.add(client, ALL, 1);
    Harvest.settles(epoll, OUT);
    fds.close(listener);
    for (int i = 0; i < 3; i++) {
      Harvest.settles(epoll, ALL.or(ERR).or(HUP));
    }
  }

  @Test
  @Conformance(142)
  void aListenerThatIsShutDownHangsUp() throws Exception {
    int listener = fds.listener(8);
    epoll.add(listener, IN, 1);
    WaitingThread waiting = WaitingThread.in(epoll);
    check(C.shutdown(listener, LibC.SHUT_RDWR));
    assertEquals(1, waiting.count());
    assertEquals(HUP, Harvest.mask(epoll));
  }

  @Test
  @Conformance(154)
  void rdhupDoesNotCutOffWhatIsStillUnread() throws Exception {
    for (EventMask mode : new EventMask[] {NONE, EventMask.ONESHOT}) {
      Fds.Pair tcp = fds.pair();
      EventMask mask = IN.or(RDHUP).or(mode);
      epoll.add(tcp.a(), mask, 1);
      Fds.write(tcp.b(), 16 * 1024);
      check(C.shutdown(tcp.b(), LibC.SHUT_WR));
      long total = 0;
      for (long count = 1; count > 0; total += count) {
        assertTrue(Harvest.nextMask(epoll).contains(IN));
        count = read(tcp.a(), 100);
        epoll.modify(tcp.a(), mask, 1);
      }
      assertEquals(16 * 1024, total);
      epoll.remove(tcp.a());
    }
  }

  @Test
  @Conformance(155)
  void aHalfCloseIsOneEventForWhoAsksOnce() throws Exception {
    for (EventMask once : new EventMask[] {ET, EventMask.ONESHOT}) {
      Fds.Pair tcp = fds.pair();
      epoll.add(tcp.a(), RDHUP.or(once), 1);
      check(C.shutdown(tcp.b(), LibC.SHUT_WR));
      assertEquals(RDHUP, Harvest.nextMask(epoll));
      Harvest.staysQuiet(epoll);
      epoll.modify(tcp.a(), RDHUP.or(once), 2);
      assertEquals(new Harvest.Event(RDHUP, 2), Harvest.next(epoll));
      epoll.remove(tcp.a());
    }
  }
}
