package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.ClosedRegistrationException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.sys.Errno;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventFdTest {
  private static final Duration A_WHILE = Duration.ofMillis(50);

  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  @Test
  @Conformance(179)
  void takingACounterEmptiesIt() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 10)) {
      assertFalse(counter.isSemaphore());
      assertEquals(10, counter.tryTake());
      assertEquals(EventFd.EMPTY, counter.tryTake());
      counter.tryAdd(Long.MIN_VALUE);
      assertEquals(Long.MIN_VALUE, counter.tryTake());
    }
  }

  @Test
  void threadsWaitForAValueAndForRoom() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 0)) {
      var taking = Running.of(() -> counter.blocking().take());
      counter.blocking().add(3);
      assertEquals(3, taking.result());
      assertTrue(counter.tryAdd(EventFd.MAX_VALUE));
      var adding =
          Running.of(
              () -> {
                counter.blocking().add(1);
                return counter.tryTake();
              });
      assertEquals(EventFd.MAX_VALUE, counter.blocking().take());
      assertEquals(1, adding.result());
    }
  }

  @Test
  void closeFailsTheThreadThatTakes() throws Exception {
    EventFd counter = EventFd.counter(poller, 0);
    var taking = Running.of(() -> counter.blocking().take()).waitingOn(counter.registration());
    counter.close();
    assertInstanceOf(ClosedChannelException.class, taking.failure());
  }

  @Test
  @Conformance(181)
  void takingASemaphoreTakesOneUntilItIsEmpty() throws Exception {
    try (EventFd semaphore = EventFd.semaphore(poller, 10)) {
      assertTrue(semaphore.isSemaphore());
      for (int i = 0; i < 10; i++) {
        assertTrue(isReady(semaphore, Interest.READABLE));
        assertEquals(1, semaphore.tryTake());
      }
      assertFalse(isReady(semaphore, Interest.READABLE));
      assertEquals(EventFd.EMPTY, semaphore.tryTake());
    }
  }

  @Test
  @Conformance({182, 184})
  void addsUpToTheMaximumAndIsWritableBelowIt() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 0)) {
      assertTrue(isReady(counter, Interest.WRITABLE));
      assertTrue(counter.tryAdd(EventFd.MAX_VALUE - 1));
      assertTrue(isReady(counter, Interest.WRITABLE));
      assertTrue(counter.tryAdd(1));
      assertFalse(isReady(counter, Interest.WRITABLE));
      assertFalse(counter.tryAdd(1));
      assertFalse(counter.tryAdd(EventFd.MAX_VALUE));
      assertThrows(IllegalArgumentException.class, () -> counter.tryAdd(-1));
      assertEquals(EventFd.MAX_VALUE, counter.tryTake());
      assertTrue(isReady(counter, Interest.WRITABLE));
    }
  }

  @Test
  void writerOfAFullCounterIsResumedWhenItIsTaken() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 0)) {
      counter.tryAdd(EventFd.MAX_VALUE);
      Running<?> writer =
          Running.of(() -> counter.registration().blockUntil(Interest.WRITABLE))
              .waitingOn(counter.registration());
      counter.tryTake();
      writer.result();
    }
  }

  @Test
  @Conformance({185, 190})
  void theKernelTakesWholeNumbersOnlyAndNoOffset() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 5)) {
      assertEquals(-1, C.read(counter.fd(), new byte[4], 4));
      assertEquals(Errno.EINVAL.number, LibC.errno());
      assertEquals(-1, C.write(counter.fd(), new byte[4], 4));
      assertEquals(Errno.EINVAL.number, LibC.errno());
      assertEquals(-1, WithOffset.C.pread(counter.fd(), new byte[8], 8, 0));
      assertEquals(Errno.ESPIPE.number, LibC.errno());
      assertEquals(5, counter.tryTake());
    }
  }

  /** Reading at an offset. */
  public interface WithOffset {
    WithOffset C = LibraryLoader.create(WithOffset.class).load("c");

    long pread(int fd, byte[] target, long count, long offset);
  }

  @Test
  @Conformance(187)
  void isCloseOnExecAndNonBlocking() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 0)) {
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(counter.fd(), LibC.F_GETFD, 0));
      assertTrue((C.fcntl(counter.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
    }
  }

  @Test
  @Conformance(188)
  void twoSemaphoresPassTurnsBetweenTwoThreads() throws Exception {
    try (EventFd ping = EventFd.semaphore(poller, 0);
        EventFd pong = EventFd.semaphore(poller, 0)) {
      Running<Integer> peer = Running.of(() -> answer(ping, pong, 500));
      for (int i = 0; i < 500; i++) {
        ping.tryAdd(1);
        take(pong);
        ping.tryAdd(5);
        for (int j = 0; j < 5; j++) {
          take(pong);
        }
      }
      assertEquals(500, peer.result());
      assertEquals(EventFd.EMPTY, ping.tryTake());
      assertEquals(EventFd.EMPTY, pong.tryTake());
    }
  }

  private static int answer(EventFd from, EventFd to, int rounds) throws Exception {
    for (int i = 0; i < rounds; i++) {
      for (int j = 0; j < 6; j++) {
        take(from);
        to.tryAdd(1);
      }
    }
    return rounds;
  }

  private static long take(EventFd eventFd) throws Exception {
    while (true) {
      long taken = eventFd.tryTake();
      if (taken != EventFd.EMPTY) {
        return taken;
      }
      eventFd.registration().blockUntil(Interest.READABLE);
    }
  }

  @Test
  @Conformance(191)
  void nothingOfWhatManyThreadsAddIsLostOrDoubled() throws Exception {
    int[] primes = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
    try (EventFd counter = EventFd.counter(poller, 0)) {
      List<Running<Boolean>> writers = new ArrayList<>();
      long expected = 0;
      for (int prime : primes) {
        writers.add(Running.of(() -> addOften(counter, prime)));
        expected += 1000L * prime;
      }
      long sum = 0;
      while (sum < expected) {
        sum += take(counter);
      }
      assertEquals(expected, sum);
      for (Running<Boolean> writer : writers) {
        assertTrue(writer.result());
      }
      assertEquals(EventFd.EMPTY, counter.tryTake());
    }
  }

  private static boolean addOften(EventFd counter, int value) throws Exception {
    boolean all = true;
    for (int i = 0; i < 1000; i++) {
      all &= counter.tryAdd(value);
    }
    return all;
  }

  @Test
  @Conformance(193)
  void addingZeroWakesNobody() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 0)) {
      assertTrue(counter.tryAdd(0));
      assertTrue(counter.registration().blockUntil(Interest.READABLE, A_WHILE).isNone());
      counter.tryAdd(1);
      assertTrue(counter.registration().blockUntil(Interest.READABLE).isReadable());
    }
  }

  @Test
  @Conformance({194, 196})
  void whatIsAddedBeforeTheTakingIsOneValue() throws Exception {
    try (EventFd counter = EventFd.counter(poller, 0)) {
      Running<?> reader =
          Running.of(() -> counter.registration().blockUntil(Interest.READABLE))
              .waitingOn(counter.registration());
      counter.tryAdd(1);
      counter.tryAdd(1);
      counter.tryAdd(1);
      reader.result();
      assertEquals(3, counter.tryTake());
      assertTrue(counter.registration().blockUntil(Interest.READABLE, A_WHILE).isNone());
      counter.tryAdd(3);
      assertTrue(counter.registration().blockUntil(Interest.READABLE).isReadable());
      assertEquals(3, counter.tryTake());
    }
  }

  @Test
  void closeFailsTheWaitingReaderAndLaterCalls() throws Exception {
    EventFd counter = EventFd.counter(poller, 0);
    Running<?> reader =
        Running.of(() -> counter.registration().blockUntil(Interest.READABLE))
            .waitingOn(counter.registration());
    counter.close();
    counter.close();
    assertInstanceOf(ClosedRegistrationException.class, reader.failure());
    assertFalse(counter.isOpen());
    assertThrows(ClosedChannelException.class, counter::tryTake);
    assertThrows(ClosedChannelException.class, () -> counter.tryAdd(1));
    assertEquals("EventFd(fd " + counter.fd() + " (closed))", counter.toString());
  }

  @Test
  void refusesANegativeValueAndAClosedPollerAndLeaksNothing() throws Exception {
    assertThrows(IllegalArgumentException.class, () -> EventFd.counter(poller, -1));
    assertThrows(IllegalArgumentException.class, () -> EventFd.semaphore(poller, -1));
    Poller closed = Poller.open();
    closed.close();
    var before = KernelFds.openNow();
    assertThrows(ClosedPollerException.class, () -> EventFd.counter(closed, 1));
    KernelFds.assertNoneSince(before);
  }

  private static boolean isReady(EventFd eventFd, Interest interest) throws Exception {
    return !eventFd.registration().blockUntil(interest, Duration.ZERO).isNone();
  }
}
