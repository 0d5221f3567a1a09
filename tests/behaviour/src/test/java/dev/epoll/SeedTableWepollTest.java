package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What wepoll offers, one of the documents that this project started from, works here too. */
class SeedTableWepollTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;

  private final Fds fds = new Fds();
  private Epoll epoll;

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open(4);
  }

  @AfterEach
  void close() {
    epoll.close();
    fds.close();
  }

  @Test
  void createRefusesBadFlags() throws Exception {
    assertEquals(-Errno.EINVAL.number, Backend.syscalls().epollCreate1(1));
    assertThrows(IllegalArgumentException.class, () -> Epoll.open(0));
    assertEquals(LibC.FD_CLOEXEC, C.fcntl(epoll.fd(), LibC.F_GETFD, 0));
  }

  @Test
  void closeEndsTheSetAndLeavesTheFdsOfTheUser() throws Exception {
    int fd = fds.eventfd(1);
    int epfd = epoll.fd();
    epoll.add(fd, IN, 1);
    epoll.close();
    assertEquals(-1, C.fcntl(epfd, LibC.F_GETFD, 0));
    assertEquals(LibC.FD_CLOEXEC, C.fcntl(fd, LibC.F_GETFD, 0));
  }

  @Test
  void ctlAddsModifiesAndDeletes() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN, 1);
    assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(epoll));
    epoll.modify(fd, OUT, 2);
    assertEquals(List.of(new Harvest.Event(OUT, 2)), Harvest.now(epoll));
    epoll.remove(fd);
    assertEquals(List.of(), Harvest.now(epoll));
  }

  @Test
  void deleteIgnoresTheEvent() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN, 1);
    assertEquals(0, Backend.syscalls().epollCtl(epoll.fd(), Linux.EPOLL_CTL_DEL, fd, 0));
    assertEquals(List.of(), epoll.kernelEntries());
  }

  @Test
  void waitTakesTimeoutsBelowZeroAndZeroAndAboveZero() throws Exception {
    long start = System.nanoTime();
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
    assertEquals(0, epoll.waitForEvents(Duration.ofMillis(20)));
    assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(20));
    WaitingThread forEver = WaitingThread.in(epoll);
    epoll.add(fds.eventfd(1), IN, 1);
    assertEquals(1, forEver.count());
  }

  @Test
  void waitReturnsAtMostMaxEvents() throws Exception {
    for (int i = 0; i < 5; i++) {
      epoll.add(fds.eventfd(1), IN.or(EventMask.ONESHOT), i);
    }
    assertEquals(4, Harvest.count(epoll));
    assertEquals(1, Harvest.count(epoll));
  }

  @Test
  void errnoIsReported() {
    SyscallException failure = assertThrows(SyscallException.class, () -> epoll.add(-1, IN, 1));
    assertEquals(Errno.EBADF.number, failure.errno());
    assertEquals("EBADF", failure.errnoName());
    assertEquals("epoll_ctl(ADD)", failure.call());
    assertEquals(-1, failure.fd());
  }

  @Test
  void userDataIsAny64Bits() throws Exception {
    int fd = fds.eventfd(1);
    for (long data : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0xffff_ffffL, 1L << 32}) {
      epoll.set(fd, IN, data);
      assertEquals(List.of(new Harvest.Event(IN, data)), Harvest.now(epoll));
    }
  }

  @Test
  void everyEventBitCanBeAskedForAndMsgIsNeverReported() throws Exception {
    Fds.Pair pair = fds.socketpair();
    Fds.write(pair.b(), 1);
    epoll.add(pair.a(), EventMask.NONE, 1);
    EventMask all = IN.or(EventMask.RDNORM).or(OUT).or(EventMask.WRNORM).or(EventMask.WRBAND);
    List<EventMask> bits =
        List.of(
            IN,
            OUT,
            EventMask.RDHUP,
            EventMask.PRI,
            EventMask.ERR,
            EventMask.HUP,
            EventMask.RDNORM,
            EventMask.RDBAND,
            EventMask.WRNORM,
            EventMask.WRBAND,
            EventMask.MSG);
    for (EventMask bit : bits) {
      epoll.modify(pair.a(), bit, 1);
      assertEquals(all.and(bit), Harvest.mask(epoll));
      assertEquals(epoll.entries(), epoll.kernelEntries());
    }
  }

  @Test
  void oneshotReportsOnlyOnce() throws Exception {
    epoll.add(fds.eventfd(1), IN.or(EventMask.ONESHOT), 1);
    assertEquals(1, Harvest.count(epoll));
    assertEquals(0, Harvest.count(epoll));
  }

  @Test
  void errAndHupAreReportedWhateverWasAsked() throws Exception {
    Fds.Pair first = fds.pipe();
    Fds.Pair second = fds.pipe();
    epoll.add(first.a(), EventMask.NONE, 1);
    epoll.add(second.b(), EventMask.NONE, 2);
    fds.close(first.b());
    fds.close(second.a());
    assertEquals(
        List.of(new Harvest.Event(EventMask.HUP, 1), new Harvest.Event(EventMask.ERR, 2)),
        Harvest.now(epoll));
  }

  @Test
  void edgeTriggeredExclusiveAndWakeupWorkToo() throws Exception {
    for (EventMask flag :
        List.of(EventMask.EDGE_TRIGGERED, EventMask.EXCLUSIVE, EventMask.WAKEUP)) {
      epoll.add(fds.eventfd(1), IN.or(flag), flag.bits());
    }
    assertEquals(3, Harvest.count(epoll));
    assertEquals(2, Harvest.count(epoll));
  }

  @Test
  void invalidCombinationsAreRefusedWithTheReason() {
    int fd = fds.eventfd(1);
    EventMask mask = IN.or(EventMask.EXCLUSIVE).or(EventMask.ONESHOT);
    String text =
        assertThrows(IllegalArgumentException.class, () -> epoll.add(fd, mask, 1)).getMessage();
    assertTrue(text.contains("EXCLUSIVE") && text.contains("leave out ONESHOT"), text);
  }

  @Test
  void closedSocketsLeaveTheSetButRemovingThemFirstIsTheRule() throws Exception {
    Fds.Pair pair = fds.socketpair();
    epoll.add(pair.a(), IN, 1);
    epoll.add(pair.b(), IN, 2);
    epoll.remove(pair.a());
    fds.close(pair.a());
    assertEquals(epoll.kernelEntries(), epoll.entries());
    fds.close(pair.b());
    assertEquals(List.of(), epoll.kernelEntries());
    assertEquals(1, epoll.size());
  }
}
