package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class EpollCloseTest {
  private static final EventMask IN = EventMask.IN;

  @Test
  void everyLaterCallFailsAndTheFdsStayOpen() throws Exception {
    try (Fds fds = new Fds()) {
      int fd = fds.eventfd(1);
      Map<Integer, String> before = KernelFds.openNow();
      Epoll epoll = Epoll.open();
      epoll.add(fd, IN, 1);
      epoll.close();
      epoll.close();
      KernelFds.assertNoneSince(before);
      for (Executable call :
          List.<Executable>of(
              () -> epoll.add(fd, IN, 1),
              () -> epoll.modify(fd, IN, 1),
              () -> epoll.set(fd, IN, 1),
              () -> epoll.remove(fd),
              () -> epoll.waitForEvents(),
              () -> epoll.waitForEvents(Duration.ZERO),
              () -> epoll.waitForEvents(Duration.ofSeconds(100)),
              epoll::isReady,
              epoll::kernelEntries)) {
        assertThrows(ClosedEpollException.class, call);
      }
      assertEquals(List.of(), epoll.entries());
      assertEquals(Optional.empty(), epoll.find(fd));
      assertEquals(0, epoll.size());
      assertTrue(epoll.toString().contains("CLOSED"), epoll::toString);
      KernelFds.assertNoneSince(before);
      assertEquals(8, Fds.drain(fd));
    }
  }

  @Test
  void aClosedSetDoesNotTouchTheNextOwnerOfItsNumber() throws Exception {
    try (Fds fds = new Fds()) {
      Epoll closed = Epoll.open();
      int number = closed.fd();
      closed.close();
      try (Epoll next = Epoll.open()) {
        assertEquals(number, next.fd());
        int fd = fds.eventfd(1);
        assertThrows(ClosedEpollException.class, () -> closed.add(fd, IN, 1));
        closed.close();
        next.add(fd, IN, 2);
        assertEquals(List.of(new Harvest.Event(IN, 2)), Harvest.now(next));
      }
    }
  }

  @Test
  void endsTheWaitOfAnotherThread() throws Exception {
    try (Fds fds = new Fds()) {
      int fd = fds.eventfd(0);
      Map<Integer, String> before = KernelFds.openNow();
      for (Duration timeout :
          List.of(Duration.ofSeconds(100), Duration.ofSeconds(Long.MAX_VALUE))) {
        Epoll epoll = Epoll.open();
        epoll.add(fd, IN, 1);
        WaitingThread waiting = WaitingThread.in(epoll, () -> epoll.waitForEvents(timeout));
        epoll.close();
        epoll.close();
        assertThrows(ClosedEpollException.class, () -> epoll.add(fd, IN, 1));
        assertInstanceOf(ClosedEpollException.class, waiting.failure());
        assertEquals(0, epoll.ready().size());
        KernelFds.assertNoneSince(before);
      }
    }
  }

  @Test
  void endsAWaitForEver() throws Exception {
    closeWhileWaiting();
  }

  private static void closeWhileWaiting() throws Exception {
    Map<Integer, String> before = KernelFds.openNow();
    Epoll epoll = Epoll.open();
    WaitingThread waiting = WaitingThread.in(epoll);
    epoll.close();
    assertInstanceOf(ClosedEpollException.class, waiting.failure());
    KernelFds.assertNoneSince(before);
  }

  @Test
  void withNoFdFreeTheWaitEndsWithItsNextEvent() throws Exception {
    closeWhileWaiting(); // loads what closing needs
    try (Fds fds = new Fds()) {
      int fd = fds.eventfd(0);
      Map<Integer, String> before = KernelFds.openNow();
      Epoll epoll = Epoll.open();
      epoll.add(fd, IN, 1);
      WaitingThread waiting = WaitingThread.in(epoll);
      FdLimit.whileReached(
          () -> {
            epoll.close();
            Fds.add(fd, 1);
            return null;
          });
      assertInstanceOf(ClosedEpollException.class, waiting.failure());
      KernelFds.assertNoneSince(before);
    }
  }

  @Test
  void racingWithAnEventLeavesNoFd() throws Exception {
    try (Fds fds = new Fds()) {
      int fd = fds.eventfd(0);
      Map<Integer, String> before = KernelFds.openNow();
      for (int i = 0; i < 300; i++) {
        Epoll epoll = Epoll.open(4);
        epoll.add(fd, IN, 1);
        WaitingThread waiting = WaitingThread.of(epoll::waitForEvents);
        Fds.add(fd, 1);
        epoll.close();
        assertTrue(endsWithTheEventOrClosed(waiting));
        Fds.drain(fd);
      }
      KernelFds.assertNoneSince(before);
    }
  }

  private static boolean endsWithTheEventOrClosed(WaitingThread waiting) throws Exception {
    Eventually.until("the wait ends", waiting::isOver);
    try {
      return waiting.count() == 1;
    } catch (java.util.concurrent.ExecutionException e) {
      return e.getCause() instanceof ClosedEpollException;
    }
  }

  @Test
  void aSecondWaiterIsRefusedAndTheFirstGoesOn() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      epoll.add(fd, IN, 1);
      WaitingThread first = WaitingThread.in(epoll);
      IllegalStateException refused =
          assertThrows(IllegalStateException.class, () -> epoll.waitForEvents(Duration.ZERO));
      assertTrue(refused.getMessage().contains("another thread"), refused::getMessage);
      assertThrows(IllegalStateException.class, epoll::waitForEvents);
      Fds.add(fd, 1);
      assertEquals(1, first.count());
      assertEquals(1, Harvest.count(epoll));
    }
  }

  @Test
  void closingInsideAConsumerLetsTheBatchEnd() throws Exception {
    try (Fds fds = new Fds()) {
      Map<Integer, String> before = KernelFds.openNow();
      Epoll epoll = Epoll.open();
      epoll.add(fds.eventfd(1), IN, 1);
      epoll.add(fds.eventfd(1), IN, 2);
      epoll.waitForEvents();
      List<Long> called = new ArrayList<>();
      epoll
          .ready()
          .forEach(
              (mask, data) -> {
                epoll.close();
                called.add(data);
              });
      assertEquals(List.of(1L, 2L), called);
      assertEquals(before.size() + 2, KernelFds.openNow().size());
      assertThrows(ClosedEpollException.class, epoll::waitForEvents);
    }
  }

  @Test
  @Conformance({176, 214})
  void aClosedFdBringsNoMoreEvents() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      epoll.add(fd, EventMask.OUT, 1);
      assertEquals(1, Harvest.count(epoll));
      fds.close(fd);
      Harvest.staysQuiet(epoll);
      assertEquals(List.of(), epoll.kernelEntries());
      epoll.add(fds.eventfd(0), EventMask.OUT, 2);
      assertEquals(1, Harvest.count(epoll));
    }
  }

  @Test
  @Conformance(49)
  void registrationsThatTheFirstOfABatchClosesAreNotResumedAsReady() throws Exception {
    AtomicInteger ready = new AtomicInteger();
    AtomicInteger closed = new AtomicInteger();
    List<Registration> registrations = new ArrayList<>();
    try (LoopbackFds fds = new LoopbackFds();
        Poller poller = Poller.open()) {
      for (int i = 0; i < 250; i++) {
        int fd = fds.udp();
        LoopbackFds.startConnect(fd, LoopbackFds.port(fd));
        Fds.write(fd, 1);
        registrations.add(poller.register(fd));
      }
      poller.execute(
          () -> {
            for (Registration registration : registrations) {
              arm(registration, ready, closed, registrations);
            }
          });
      Eventually.until("all have ended", () -> ready.get() + closed.get() == 250);
      assertEquals(1, ready.get());
      registrations.forEach(registration -> assertTrue(registration.isClosed()));
      assertEquals(LibC.FD_CLOEXEC, check(C.fcntl(registrations.get(0).fd(), LibC.F_GETFD, 0)));
    }
    assertEquals(249, closed.get());
  }

  private static void arm(
      Registration registration,
      AtomicInteger ready,
      AtomicInteger closed,
      List<Registration> registrations) {
    try {
      registration.arm(
          Interest.READABLE,
          new Waiter() {
            @Override
            public void ready(Readiness readiness) {
              ready.incrementAndGet();
              registrations.forEach(Registration::close);
            }

            @Override
            public void failed(IOException cause) {
              closed.addAndGet(cause instanceof ClosedRegistrationException ? 1 : 1000);
            }
          });
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
