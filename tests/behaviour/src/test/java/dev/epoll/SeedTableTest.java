package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.fd.EventFd;
import dev.epoll.sys.EpollEvent;
import dev.epoll.testing.Fds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the documents offer that this project started from works here too: a test for each. */
class SeedTableTest {
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

  private static String errno(SyscallException e) {
    return e.errnoName();
  }

  @Nested
  @DisplayName("001 Jane Street Epoll.t")
  class JaneStreet {
    @Test
    void theMapIsReadableWhenPrinted() throws Exception {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(EventMask.RDHUP), 0x2a);
      assertTrue(epoll.toString().contains("fd " + fd + "  IN|RDHUP  data 0x2a"), epoll::toString);
    }

    @Test
    void findSetRemoveAndIterate() throws Exception {
      int fd = fds.eventfd(1);
      assertEquals(Optional.empty(), epoll.find(fd));
      epoll.set(fd, IN, 1);
      epoll.set(fd, OUT, 2);
      assertEquals(Optional.of(new Epoll.Entry(fd, OUT, 2)), epoll.find(fd));
      List<Integer> iterated = new ArrayList<>();
      epoll.entries().forEach(entry -> iterated.add(entry.fd()));
      assertEquals(List.of(fd), iterated);
      epoll.remove(fd);
      assertEquals(Optional.empty(), epoll.find(fd));
      assertEquals(0, epoll.size());
    }

    @Test
    void aPositiveTimeoutIsNeverZero() throws Exception {
      for (long nanos : new long[] {1, 1000, 999_999}) {
        long start = System.nanoTime();
        assertEquals(0, epoll.waitForEvents(Duration.ofNanos(nanos)));
        assertTrue(System.nanoTime() - start >= nanos);
      }
      assertEquals(1, EpollFd.millisRoundedUp(1));
      assertEquals(2, EpollFd.millisRoundedUp(1_000_001));
    }

    @Test
    void aNegativeTimeoutIsRefusedRatherThanTakenForZero() {
      assertThrows(IllegalArgumentException.class, () -> epoll.waitForEvents(Duration.ofNanos(-1)));
    }

    @Test
    void theReadyEventsStayInTheObjectUntilTheNextWait() throws Exception {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN, 7);
      epoll.waitForEvents();
      epoll.remove(fd);
      ReadyEvents ready = epoll.ready();
      assertEquals(7, ready.data(0));
      long[] folded = new long[1];
      ready.forEach((mask, data) -> folded[0] += data);
      assertEquals(7, folded[0]);
      assertEquals(0, Harvest.count(epoll));
      assertEquals(0, ready.size());
    }

    @Test
    void aSecondThreadMayNotWait() throws Exception {
      WaitingThread first = WaitingThread.in(epoll);
      assertThrows(IllegalStateException.class, epoll::waitForEvents);
      epoll.close();
      assertInstanceOf(ClosedEpollException.class, first.failure());
    }

    @Test
    void theTableIsCheckedAgainstTheKernel() throws Exception {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(EventMask.EDGE_TRIGGERED), -5);
      assertEquals(
          List.of(new Epoll.Entry(fd, IN.or(EventMask.EDGE_TRIGGERED), -5)), epoll.kernelEntries());
    }
  }

  @Nested
  @DisplayName("002 a book on event queues")
  class EventQueueBook {
    @Test
    void anEventfdWakesAndStopsTheWaitingThread() throws Exception {
      int stop = fds.eventfd(0);
      epoll.add(stop, IN, 1);
      WaitingThread waiting = WaitingThread.in(epoll);
      Fds.add(stop, 1);
      assertEquals(1, waiting.count());
    }

    @Test
    void closingThePollerStopsItsThread() throws Exception {
      Poller poller = Poller.open();
      Registration registration = poller.register(fds.eventfd(0));
      poller.close();
      assertThrows(ClosedPollerException.class, () -> registration.blockUntil(Interest.READABLE));
      assertFalse(poller.inPollerThread());
    }

    @Test
    void theEventIsLaidOutAsOnThisCpu() throws Exception {
      boolean packed = List.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
      assertEquals(packed ? 12 : 16, EpollEvent.SIZE);
      for (int i = 0; i < 4; i++) {
        epoll.add(fds.eventfd(1), IN, ~i);
      }
      assertEquals(4, Harvest.count(epoll));
      for (int i = 0; i < 4; i++) {
        assertEquals(~i, epoll.ready().data(i));
      }
    }
  }

  @Nested
  @DisplayName("003 notes on epoll")
  class Notes {
    @Test
    void modifyIsVitalInOneshotMode() throws Exception {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN.or(EventMask.ONESHOT), 1);
      assertEquals(1, Harvest.count(epoll));
      assertEquals(0, Harvest.count(epoll));
      epoll.modify(fd, IN.or(EventMask.ONESHOT), 2);
      assertEquals(1, Harvest.count(epoll));
    }

    @Test
    void aRegistrationArmsAgainForEveryAwait() throws Exception {
      try (Poller poller = Poller.open()) {
        Registration registration = poller.register(fds.eventfd(1));
        for (int i = 0; i < 3; i++) {
          assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
        }
        registration.close();
      }
    }

    @Test
    void anEventfdCountsOrIsASemaphore() throws Exception {
      try (Poller poller = Poller.open();
          EventFd counter = EventFd.counter(poller, 3);
          EventFd semaphore = EventFd.semaphore(poller, 3)) {
        assertEquals(3, counter.tryTake());
        assertEquals(EventFd.EMPTY, counter.tryTake());
        for (int i = 0; i < 3; i++) {
          assertEquals(1, semaphore.tryTake());
        }
        assertEquals(EventFd.EMPTY, semaphore.tryTake());
      }
    }
  }

  @Nested
  @DisplayName("004 gVisor package epoll")
  class Gvisor {
    @Test
    void readsUpToMaxEvents() throws Exception {
      try (Epoll one = Epoll.open(1)) {
        one.add(fds.eventfd(1), IN, 1);
        one.add(fds.eventfd(1), IN, 2);
        assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(one));
        assertEquals(List.of(new Harvest.Event(IN, 2)), Harvest.now(one));
      }
    }

    @Test
    void theSetItselfCanBePolledAndPutIntoAnother() throws Exception {
      try (Epoll outer = Epoll.open()) {
        outer.add(epoll.fd(), IN, 9);
        assertFalse(epoll.isReady());
        assertEquals(0, Harvest.count(outer));
        epoll.add(fds.eventfd(1), IN, 1);
        assertTrue(epoll.isReady());
        assertEquals(List.of(new Harvest.Event(IN, 9)), Harvest.now(outer));
      }
    }

    @Test
    void anEntryIsOfTheFileAndTheNumber() throws Exception {
      int fd = fds.eventfd(1);
      int duplicate = fds.dup(fd);
      epoll.add(fd, IN, 1);
      epoll.add(duplicate, IN, 2);
      assertEquals(2, Harvest.count(epoll));
      fds.close(fd);
      assertEquals(fd, fds.eventfd(0));
      assertEquals(
          "ENOENT", errno(assertThrows(SyscallException.class, () -> epoll.modify(fd, IN, 3))));
      assertEquals(2, epoll.kernelEntries().size());
      assertEquals(1, epoll.size());
    }

    @Test
    void releaseDetachesTheWaiters() throws Exception {
      WaitingThread waiting = WaitingThread.in(epoll);
      epoll.close();
      assertInstanceOf(ClosedEpollException.class, waiting.failure());
    }

    @Test
    void theStateOfAPollerCanBeSaved() throws Exception {
      int fd = fds.eventfd(0);
      try (Poller poller = Poller.open();
          Registration registration = poller.register(fd)) {
        var future = registration.whenReady(Interest.READABLE);
        assertTrue(
            poller.snapshot().registrations().stream()
                .anyMatch(watched -> watched.fd() == fd && watched.waiters() == 1));
        Fds.add(fd, 1);
        assertTrue(future.get(20, TimeUnit.SECONDS).isReadable());
      }
    }
  }
}
