package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OneshotTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;
  private static final EventMask HUP = EventMask.HUP;
  private static final EventMask ERR = EventMask.ERR;
  private static final EventMask NONE = EventMask.NONE;
  private static final EventMask ONESHOT = EventMask.ONESHOT;

  @Test
  @Conformance({95, 314})
  void reportsOneEventUntilItIsModified() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      epoll.add(pipe.a(), IN.or(ONESHOT), 1);
      Fds.write(pipe.b(), 1);
      assertEquals(IN, Harvest.mask(epoll));
      Fds.drain(pipe.a());
      assertEquals(NONE, Harvest.mask(epoll));
      Fds.write(pipe.b(), 1);
      assertEquals(NONE, Harvest.mask(epoll));
      epoll.modify(pipe.a(), IN.or(ONESHOT), 2);
      assertEquals(List.of(new Harvest.Event(IN, 2)), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(97)
  void modifyReportsWhatIsStillThere() throws Exception {
    for (EventMask mode : List.of(ONESHOT, ONESHOT.or(EventMask.EDGE_TRIGGERED))) {
      try (Fds fds = new Fds();
          Epoll epoll = Epoll.open()) {
        int fd = fds.eventfd(1);
        epoll.add(fd, IN.or(mode), 0);
        for (int i = 1; i <= 3; i++) {
          assertEquals(IN, Harvest.mask(epoll));
          assertEquals(NONE, Harvest.mask(epoll));
          epoll.modify(fd, IN.or(mode), i);
        }
        assertEquals(List.of(new Harvest.Event(IN, 3)), Harvest.now(epoll));
      }
    }
  }

  @Test
  void modifyWakesAWaitThatIsBlocked() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(ONESHOT), 1);
      assertEquals(IN, Harvest.mask(epoll));
      WaitingThread waiting = WaitingThread.in(epoll);
      epoll.modify(fd, IN.or(ONESHOT), 2);
      assertEquals(1, waiting.count());
      assertEquals(2, epoll.ready().data(0));
    }
  }

  @Test
  void twoModifiesBeforeTheWaitAreOneEventWithTheNewestData() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(ONESHOT), 1);
      epoll.modify(fd, IN.or(ONESHOT), 2);
      epoll.modify(fd, IN.or(ONESHOT), 3);
      assertEquals(List.of(new Harvest.Event(IN, 3)), Harvest.now(epoll));
      assertEquals(List.of(), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(98)
  void firingDoesNotRemoveTheEntry() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(ONESHOT), 1);
      assertEquals(IN, Harvest.mask(epoll));
      assertEquals(List.of(new Epoll.Entry(fd, IN.or(ONESHOT), 1)), epoll.entries());
      assertEquals(List.of(new Epoll.Entry(fd, ONESHOT, 1)), epoll.kernelEntries());
      SyscallException refused = assertThrows(SyscallException.class, () -> epoll.add(fd, IN, 2));
      assertEquals("EEXIST", refused.errnoName());
      epoll.remove(fd);
      epoll.add(fd, IN.or(ONESHOT), 3);
      assertEquals(List.of(new Harvest.Event(IN, 3)), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(100)
  void aMaskWithoutEventsReportsTheHangupOnce() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      fds.close(pipe.b());
      epoll.add(pipe.a(), NONE, 1);
      assertEquals(HUP, Harvest.mask(epoll));
      epoll.modify(pipe.a(), ONESHOT, 1);
      assertEquals(HUP, Harvest.mask(epoll));
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @Test
  void aHangupAfterItHasFiredIsNotReported() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      epoll.add(pipe.a(), IN.or(ONESHOT), 1);
      Fds.write(pipe.b(), 1);
      assertEquals(IN, Harvest.mask(epoll));
      fds.close(pipe.b());
      Harvest.staysQuiet(epoll);
      epoll.modify(pipe.a(), IN.or(ONESHOT), 1);
      assertEquals(IN.or(HUP), Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(101)
  void noEdgeIsReportedWhileItIsDisarmed() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      EventMask mask = OUT.or(EventMask.EDGE_TRIGGERED).or(ONESHOT);
      epoll.add(fd, mask, 1);
      assertEquals(OUT, Harvest.mask(epoll));
      Harvest.staysQuiet(epoll);
      Fds.add(fd, -2);
      Fds.drain(fd);
      Harvest.staysQuiet(epoll);
      epoll.modify(fd, mask, 1);
      assertEquals(OUT, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(103)
  void anEmptyMaskShowsTheResetOfAShutDownSender() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open();
        Epoll arrival = Epoll.open()) {
      Fds.Pair tcp = fds.pair();
      arrival.add(tcp.b(), IN, 1);
      Fds.write(tcp.a(), 10);
      check(C.shutdown(tcp.a(), LibC.SHUT_WR));
      assertEquals(IN, Harvest.nextMask(arrival));
      fds.close(tcp.b());
      epoll.add(tcp.a(), NONE, 1);
      Harvest.settles(epoll, ERR.or(HUP));
      epoll.modify(tcp.a(), ONESHOT, 2);
      assertEquals(List.of(new Harvest.Event(ERR.or(HUP), 2)), Harvest.now(epoll));
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1 << 31})
  @Conformance(106)
  void modifySwitchesTheMode(int mode) throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      epoll.add(pair.a(), IN.or(EventMask.of(mode)), 1);
      epoll.modify(pair.a(), IN.or(ONESHOT), 2);
      Fds.write(pair.b(), 1);
      assertEquals(new Harvest.Event(IN, 2), Harvest.next(epoll));
      Fds.write(pair.b(), 1);
      assertEquals(NONE, Harvest.mask(epoll));
      epoll.modify(pair.a(), IN.or(EventMask.of(mode)), 3);
      assertEquals(IN, Harvest.mask(epoll));
      assertEquals(mode == 0 ? IN : NONE, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(107)
  void fiveHundredSocketsWithRandomMasksReportEachAtMostOnceARound() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    EventMask implied = ERR.or(HUP);
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open(64)) {
      Map<Integer, EventMask> masks = new HashMap<>();
      for (int i = 0; i < 500; i++) {
        int fd = fds.udp();
        epoll.add(fd, NONE, fd);
        masks.put(fd, NONE);
      }
      for (int round = 0; round < 20; round++) {
        for (int fd : List.copyOf(masks.keySet())) {
          EventMask mask = EventMask.of(random.nextInt(256)).or(ONESHOT);
          masks.put(fd, mask);
          epoll.modify(fd, mask, fd);
        }
        Set<Long> writable = new HashSet<>();
        for (var batch = Harvest.now(epoll); !batch.isEmpty(); batch = Harvest.now(epoll)) {
          for (Harvest.Event event : batch) {
            assertTrue(writable.add(event.data()), () -> event + " again, seed " + seed);
            EventMask asked = masks.get((int) event.data()).or(implied);
            assertTrue(asked.contains(event.mask()), () -> event + ", seed " + seed);
          }
        }
        long expected = masks.values().stream().filter(mask -> mask.contains(OUT)).count();
        assertEquals(expected, writable.size(), () -> "seed " + seed);
      }
    }
  }
}
