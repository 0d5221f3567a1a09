package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EdgeTriggeredTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;
  private static final EventMask HUP = EventMask.HUP;
  private static final EventMask NONE = EventMask.NONE;
  private static final EventMask ET = EventMask.EDGE_TRIGGERED;

  @Test
  @Conformance({73, 74})
  void oneWriteIsReportedOnceAndThenTheEpollFdIsQuiet() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      epoll.add(pair.a(), IN.or(ET), 1);
      Fds.write(pair.b(), 1);
      assertTrue(epoll.isReady());
      assertEquals(IN, Harvest.mask(epoll));
      assertFalse(epoll.isReady());
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(76)
  void thePipeOfOnePageIsWritableAgainOnceItIsEmpty() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      int page = check(C.fcntl(pipe.a(), LibC.F_SETPIPE_SZ, 1));
      Fds.write(pipe.b(), page);
      epoll.add(pipe.a(), IN.or(ET), 1);
      epoll.add(pipe.b(), OUT.or(ET), 2);
      assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(epoll));
      read(pipe.a(), page / 2);
      assertEquals(List.of(), Harvest.now(epoll));
      read(pipe.a(), page - page / 2);
      assertEquals(List.of(new Harvest.Event(OUT, 2)), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(77)
  void aWriterIsToldWhenAPageOfTheFullPipeIsFree() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      int page = check(C.fcntl(pipe.a(), LibC.F_SETPIPE_SZ, 1));
      int size = check(C.fcntl(pipe.a(), LibC.F_SETPIPE_SZ, 2 * page));
      for (int i = 0; i < size; i++) {
        Fds.write(pipe.b(), 1);
      }
      epoll.add(pipe.b(), IN.or(OUT).or(ET), 1);
      read(pipe.a(), page - 1);
      assertEquals(NONE, Harvest.mask(epoll));
      read(pipe.a(), 1);
      assertEquals(OUT, Harvest.mask(epoll));
      read(pipe.a(), 1);
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(79)
  void anEventfdIsWritableAgainOnceItIsRead() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      epoll.add(fd, OUT.or(ET), 1);
      assertEquals(OUT, Harvest.mask(epoll));
      Harvest.staysQuiet(epoll);
      Fds.add(fd, -2);
      Fds.drain(fd);
      assertEquals(OUT, Harvest.mask(epoll));
      Harvest.staysQuiet(epoll);
    }
  }

  @Test
  @Conformance(80)
  void addReportsWhatIsReadyAlready() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(7);
      epoll.add(fd, IN.or(ET), 1);
      assertEquals(IN, Harvest.mask(epoll));
      Fds.drain(fd);
      WaitingThread waiting = WaitingThread.in(epoll);
      Fds.add(fd, 1);
      assertEquals(1, waiting.count());
    }
  }

  @Test
  @Conformance(82)
  void modifyFromAnotherThreadNeverLosesAnEdge() throws Exception {
    int rounds = 20_000;
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      EventMask mask = IN.or(EventMask.ERR).or(ET);
      epoll.add(fd, mask, 0);
      SynchronousQueue<Long> seen = new SynchronousQueue<>();
      WaitingThread waiting =
          WaitingThread.of(
              () -> {
                int events = 0;
                for (int i = 0; i < rounds; i++) {
                  events += epoll.waitForEvents(Harvest.LIMIT);
                  seen.put(epoll.ready().data(0));
                }
                return events;
              });
      for (long i = 1; i <= rounds; i++) {
        assertEquals(i - 1, seen.poll(20, TimeUnit.SECONDS));
        epoll.modify(fd, mask, i);
      }
      assertEquals(rounds, waiting.count());
    }
  }

  @Test
  @Conformance(83)
  void anEdgeShowsEverythingThatIsReady() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      epoll.add(pair.a(), IN.or(OUT).or(ET), 1);
      assertEquals(OUT, Harvest.mask(epoll));
      Fds.write(pair.b(), 1);
      assertEquals(IN.or(OUT), Harvest.mask(epoll));
      assertEquals(NONE, Harvest.mask(epoll));
      Fds.drain(pair.a());
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(85)
  void everyConnectionIsAnEdgeAndAllCanBeAccepted() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      int listener = fds.listener(8);
      epoll.add(listener, IN.or(ET), 1);
      for (int i = 0; i < 2; i++) {
        fds.connecting(LoopbackFds.port(listener));
        assertEquals(IN, Harvest.nextMask(epoll));
        assertEquals(NONE, Harvest.mask(epoll));
      }
      assertTrue(fds.accept(listener) != fds.accept(listener));
    }
  }

  @Test
  @Conformance(86)
  void aMaskWithoutEventsReportsTheHangupOnce() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      epoll.add(pair.a(), ET, 1);
      check(C.shutdown(pair.b(), LibC.SHUT_WR));
      assertEquals(NONE, Harvest.mask(epoll));
      check(C.shutdown(pair.a(), LibC.SHUT_WR));
      assertEquals(HUP, Harvest.mask(epoll));
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(88)
  void bothSetsReportEveryWriteToASharedSocket() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll first = Epoll.open();
        Epoll second = Epoll.open()) {
      Fds.Pair tcp = fds.pair();
      first.add(tcp.b(), IN.or(ET), 1);
      second.add(tcp.b(), IN.or(ET), 2);
      for (int round = 0; round < 2; round++) {
        Fds.write(tcp.a(), 1);
        assertEquals(new Harvest.Event(IN, 1), Harvest.next(first));
        assertEquals(new Harvest.Event(IN, 2), Harvest.next(second));
      }
      Fds.drain(tcp.b());
      assertEquals(NONE, Harvest.mask(first));
      assertEquals(NONE, Harvest.mask(second));
    }
  }

  @Test
  @Conformance(89)
  void everyBurstAfterWouldBlockIsOneEvent() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair tcp = fds.pair();
      epoll.add(tcp.a(), IN.or(ET), 1);
      for (int burst = 0; burst < 3; burst++) {
        Fds.write(tcp.b(), 100);
        assertEquals(IN, Harvest.nextMask(epoll));
        assertEquals(100, Fds.drain(tcp.a()));
        assertEquals(NONE, Harvest.mask(epoll));
      }
    }
  }

  @Test
  @Conformance(91)
  void removingTheReaderDoesNotRepeatTheEdgeOfTheWriter() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      int writer = fds.dup(pair.a());
      Fds.write(pair.b(), 1);
      epoll.add(pair.a(), IN.or(ET), 1);
      epoll.add(writer, OUT.or(ET), 2);
      assertEquals(2, Harvest.count(epoll));
      epoll.remove(pair.a());
      assertEquals(0, Harvest.count(epoll));
      assertEquals(0, Harvest.count(epoll));
      Fds.fill(writer);
      Fds.drain(pair.b());
      assertEquals(new Harvest.Event(OUT, 2), Harvest.next(epoll));
    }
  }

  @Test
  @Conformance(92)
  void aLevelTriggeredSecondUserDoesNotDowngradeTheFirst() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(ET), 1);
      assertThrows(SyscallException.class, () -> epoll.add(fd, IN, 2));
      assertEquals(IN.or(ET), epoll.find(fd).orElseThrow().mask());
      assertEquals(IN, Harvest.mask(epoll));
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(94)
  void dataThatIsLeftIsSeenByPollAndNotByTheSet() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      epoll.add(pipe.a(), IN.or(ET), 1);
      Fds.write(pipe.b(), 2);
      assertEquals(IN, Harvest.mask(epoll));
      read(pipe.a(), 1);
      assertEquals(Linux.EPOLLIN, PollFd.ask(Backend.syscalls(), pipe.a(), Linux.EPOLLIN));
      assertEquals(NONE, Harvest.mask(epoll));
    }
  }

  private static void read(int fd, int count) {
    assertEquals(count, C.read(fd, new byte[count], count));
  }
}
