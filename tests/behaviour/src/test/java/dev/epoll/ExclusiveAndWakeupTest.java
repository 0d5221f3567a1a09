package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExclusiveAndWakeupTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;
  private static final EventMask EXCLUSIVE = EventMask.EXCLUSIVE;

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

  static Stream<EventMask> notWithExclusive() {
    return Stream.of(
        EventMask.ONESHOT,
        EventMask.RDHUP,
        EventMask.PRI,
        EventMask.RDNORM,
        EventMask.RDBAND,
        EventMask.WRNORM,
        EventMask.WRBAND,
        EventMask.MSG);
  }

  @ParameterizedTest
  @MethodSource("notWithExclusive")
  @Conformance(112)
  void flagsThatExclusiveDoesNotGoWithAreRefusedByName(EventMask flag) throws Exception {
    int fd = fds.eventfd(1);
    EventMask mask = IN.or(EXCLUSIVE).or(flag);
    refuses(() -> epoll.add(fd, mask, 1), "EXCLUSIVE", "leave out " + flag, mask.toString());
    refuses(() -> epoll.set(fd, mask, 1), "EXCLUSIVE", "leave out " + flag, mask.toString());
    refuses(() -> epoll.modify(fd, mask, 1), "EXCLUSIVE");
    assertEquals(List.of(), epoll.entries());
    assertEquals(List.of(), epoll.kernelEntries());
  }

  @Test
  @Conformance(113)
  void exclusiveGoesWithInOutErrHupWakeupAndEdgeTriggered() throws Exception {
    int fd = fds.eventfd(1);
    EventMask mask =
        EXCLUSIVE
            .or(IN)
            .or(OUT)
            .or(EventMask.ERR)
            .or(EventMask.HUP)
            .or(EventMask.WAKEUP)
            .or(EventMask.EDGE_TRIGGERED);
    epoll.add(fd, mask, 1);
    assertEquals(List.of(new Epoll.Entry(fd, mask, 1)), epoll.entries());
    assertEquals(List.of(new Harvest.Event(IN.or(OUT), 1)), Harvest.now(epoll));
  }

  @Test
  @Conformance(112)
  void modifyDoesNotTakeExclusive() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN, 1);
    refuses(() -> epoll.modify(fd, IN.or(EXCLUSIVE), 2), "IN|EXCLUSIVE", "add");
    refuses(() -> epoll.set(fd, IN.or(EXCLUSIVE), 2), "IN|EXCLUSIVE", "add");
    holdsOnly(new Epoll.Entry(fd, IN, 1));
  }

  @Test
  @Conformance(112)
  void anExclusiveEntryCannotBeModified() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN.or(EXCLUSIVE), 1);
    refuses(() -> epoll.modify(fd, OUT, 2), "fd " + fd, "EXCLUSIVE");
    refuses(() -> epoll.set(fd, OUT, 2), "fd " + fd, "EXCLUSIVE");
    holdsOnly(new Epoll.Entry(fd, IN.or(EXCLUSIVE), 1));
    epoll.remove(fd);
    epoll.set(fd, OUT, 3);
    holdsOnly(new Epoll.Entry(fd, OUT, 3));
  }

  @Test
  @Conformance(115)
  void anEpollSetCannotBeWatchedWithExclusive() throws Exception {
    try (Epoll inner = Epoll.open()) {
      EventMask mask = IN.or(EXCLUSIVE);
      refuses(() -> epoll.add(inner.fd(), mask, 1), "IN|EXCLUSIVE", "fd " + inner.fd());
      refuses(() -> epoll.set(inner.fd(), mask, 1), "IN|EXCLUSIVE", "fd " + inner.fd());
      assertEquals(List.of(), epoll.entries());
      assertEquals(List.of(), epoll.kernelEntries());
      epoll.add(inner.fd(), IN, 1);
      holdsOnly(new Epoll.Entry(inner.fd(), IN, 1));
    }
  }

  @Test
  void aFdThatIsNotOpenIsStillEbadfWithExclusive() {
    SyscallException refused =
        assertThrows(SyscallException.class, () -> epoll.add(-1, IN.or(EXCLUSIVE), 1));
    assertEquals("EBADF", refused.errnoName());
  }

  @Test
  void oneOrMoreOfFourExclusiveWaitersWake() throws Exception {
    int fd = fds.eventfd(0);
    List<Epoll> sets = new ArrayList<>();
    try {
      List<WaitingThread> waiting = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Epoll set = Epoll.open();
        sets.add(set);
        set.add(fd, IN.or(EXCLUSIVE), i);
        waiting.add(WaitingThread.in(set));
      }
      Fds.add(fd, 1);
      Eventually.until("one wakes", () -> waiting.stream().anyMatch(WaitingThread::isOver));
      for (int i = 0; i < 4; i++) {
        if (waiting.get(i).isOver()) {
          assertEquals(1, waiting.get(i).count());
          assertEquals(i, sets.get(i).ready().data(0));
        }
      }
    } finally {
      sets.forEach(Epoll::close);
    }
  }

  @Test
  @Conformance(116)
  void wakeupIsAcceptedWithOrWithoutTheCapabilityAndNeverReported() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN.or(EventMask.WAKEUP), 1);
    assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(epoll));
    epoll.modify(fd, IN.or(EventMask.WAKEUP).or(EventMask.ONESHOT), 2);
    assertEquals(List.of(new Harvest.Event(IN, 2)), Harvest.now(epoll));
  }

  @Test
  @Conformance(118)
  void allBitsButExclusiveAreAcceptedAndOnlyTheReadyOnesReported() throws Exception {
    int fd = fds.eventfd(1);
    EventMask all = EventMask.of(-1).without(EXCLUSIVE);
    epoll.add(fd, all, 1);
    assertEquals(List.of(new Epoll.Entry(fd, all, 1)), epoll.entries());
    EventMask mask = Harvest.mask(epoll);
    assertEquals(IN.or(OUT), mask.without(EventMask.RDNORM.or(EventMask.WRNORM)));
    assertEquals(EventMask.NONE, Harvest.mask(epoll));
  }

  private void holdsOnly(Epoll.Entry entry) throws Exception {
    assertEquals(List.of(entry), epoll.entries());
    assertEquals(List.of(entry), epoll.kernelEntries());
  }

  private static void refuses(Executable call, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, call).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }
}
