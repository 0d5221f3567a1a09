package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpollControlTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;

  @Test
  @Conformance(1)
  void theEpollFdIsCloseOnExec() throws Exception {
    try (Epoll epoll = Epoll.open()) {
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(epoll.fd(), LibC.F_GETFD, 0));
    }
  }

  @Test
  @Conformance(5)
  void twoThousandSetsOneAfterAnotherLeaveNoFd() throws Exception {
    var before = KernelFds.openNow();
    for (int i = 0; i < 2000; i++) {
      try (Epoll epoll = Epoll.open(4)) {
        assertEquals(0, Harvest.count(epoll));
      }
    }
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance({16, 98})
  void aSecondAddIsRefusedAndLeavesTheFirst() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN, 1);
      SyscallException refused = assertThrows(SyscallException.class, () -> epoll.add(fd, OUT, 2));
      assertEquals("EEXIST", refused.errnoName());
      assertEquals(List.of(new Epoll.Entry(fd, IN, 1)), epoll.entries());
      assertEquals(epoll.kernelEntries(), epoll.entries());
      assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(16)
  void aListenerAddedTwiceStillReportsItsConnections() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      int listener = fds.listener(8);
      epoll.add(listener, IN, 1);
      assertThrows(SyscallException.class, () -> epoll.add(listener, IN, 2));
      fds.connecting(LoopbackFds.port(listener));
      assertEquals(new Harvest.Event(IN, 1), Harvest.next(epoll));
      fds.accept(listener);
      assertEquals(0, Harvest.count(epoll));
    }
  }

  @Test
  @Conformance(17)
  void whatWasNeverAddedCanNeitherBeModifiedNorRemoved() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      SyscallException modify = assertThrows(SyscallException.class, () -> epoll.modify(fd, IN, 1));
      SyscallException remove = assertThrows(SyscallException.class, () -> epoll.remove(fd));
      assertAll(
          () -> assertEquals("ENOENT", modify.errnoName()),
          () -> assertEquals("ENOENT", remove.errnoName()),
          () -> assertEquals(fd, remove.fd()),
          () -> assertEquals("epoll_ctl(MOD)", modify.call()),
          () -> assertEquals("epoll_ctl(DEL)", remove.call()));
    }
  }

  @Test
  @Conformance(19)
  void whatWasRemovedCanBeAddedAgain() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      int listener = fds.listener(8);
      epoll.add(listener, IN, 1);
      epoll.remove(listener);
      epoll.add(listener, IN, 2);
      Harvest.staysQuiet(epoll);
      fds.connecting(LoopbackFds.port(listener));
      assertEquals(new Harvest.Event(IN, 2), Harvest.next(epoll));
    }
  }

  @Test
  @Conformance(20)
  void modifyReplacesMaskAndData() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      int udp = fds.udp();
      epoll.add(udp, IN, 1);
      epoll.modify(udp, IN, 1);
      epoll.modify(udp, OUT, 2);
      assertEquals(List.of(new Harvest.Event(OUT, 2)), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(22)
  void everyCombinationOfFlagsCanBeModifiedToAndRead() throws Exception {
    List<EventMask> flags =
        List.of(
            EventMask.IN,
            EventMask.OUT,
            EventMask.PRI,
            EventMask.ERR,
            EventMask.HUP,
            EventMask.EDGE_TRIGGERED,
            EventMask.ONESHOT,
            EventMask.RDHUP);
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.pipe().a();
      epoll.add(fd, EventMask.NONE, 0);
      for (int chosen = 0; chosen < 256; chosen++) {
        EventMask mask = EventMask.NONE;
        for (int i = 0; i < flags.size(); i++) {
          mask = (chosen >> i & 1) == 0 ? mask : mask.or(flags.get(i));
        }
        epoll.modify(fd, mask, chosen);
        assertEquals(List.of(new Epoll.Entry(fd, mask, chosen)), epoll.entries());
        assertEquals(epoll.entries(), epoll.kernelEntries());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0x123456789abcdef0L, 0xfedcba9876543210L, Long.MIN_VALUE, 0, -1, 1L << 32})
  @Conformance(23)
  void eventsCarryThe64BitsThatWereGiven(long data) throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN, data);
      assertEquals(List.of(new Harvest.Event(IN, data)), Harvest.now(epoll));
      epoll.modify(fd, IN, ~data);
      assertEquals(List.of(new Harvest.Event(IN, ~data)), Harvest.now(epoll));
      assertEquals(epoll.kernelEntries(), epoll.entries());
    }
  }

  @Test
  @Conformance(23)
  void aBatchOfSixtyFourEventsIsReadWithoutShift() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open(64)) {
      for (long i = 0; i < 64; i++) {
        epoll.add(fds.eventfd(1), IN, 0x0123_4567_89ab_cdefL ^ i);
      }
      assertEquals(64, Harvest.count(epoll));
      for (int i = 0; i < 64; i++) {
        assertEquals(0x0123_4567_89ab_cdefL ^ i, epoll.ready().data(i));
        assertEquals(IN.bits(), epoll.ready().mask(i));
      }
    }
  }

  @Test
  @Conformance(25)
  void aSocketInTwoSetsIsReportedByBothWhileUndrained() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll first = Epoll.open();
        Epoll second = Epoll.open()) {
      Fds.Pair tcp = fds.pair();
      first.add(tcp.b(), IN, 1);
      second.add(tcp.b(), IN, 2);
      for (int round = 0; round < 2; round++) {
        Fds.write(tcp.a(), 1);
        assertEquals(new Harvest.Event(IN, 1), Harvest.next(first));
        assertEquals(new Harvest.Event(IN, 2), Harvest.next(second));
      }
      Fds.drain(tcp.b());
      assertEquals(0, Harvest.count(first));
      assertEquals(0, Harvest.count(second));
    }
  }

  @Test
  @Conformance(26)
  void aDuplicateOfTheEpollFdIsTheSameSetAndOutlivesTheOriginal() throws Exception {
    try (Fds fds = new Fds();
        Epoll outer = Epoll.open()) {
      int duplicate;
      int pipe = fds.pipe().b();
      try (Epoll epoll = Epoll.open()) {
        duplicate = fds.dup(epoll.fd());
        epoll.add(pipe, OUT, 1);
        outer.add(duplicate, IN, 7);
        assertEquals(List.of(new Harvest.Event(IN, 7)), Harvest.now(outer));
      }
      assertEquals(List.of(new Harvest.Event(IN, 7)), Harvest.now(outer));
      assertEquals(
          List.of(new Epoll.Entry(pipe, OUT, 1)),
          KernelTable.read(duplicate).stream()
              .map(entry -> new Epoll.Entry(entry.fd(), entry.mask().and(OUT), entry.data()))
              .toList());
    }
  }

  @Test
  @Conformance(31)
  void entriesAreExactlyTheLiveOnes() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int first = fds.eventfd(0);
      int second = fds.eventfd(0);
      epoll.add(second, OUT, 2);
      epoll.add(first, IN, 1);
      assertEquals(2, epoll.size());
      epoll.remove(first);
      assertEquals(1, epoll.size());
      assertEquals(List.of(new Epoll.Entry(second, OUT, 2)), epoll.entries());
      assertEquals(epoll.kernelEntries(), epoll.entries());
    }
  }
}
