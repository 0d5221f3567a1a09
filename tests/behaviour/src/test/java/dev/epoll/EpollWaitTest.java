package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpollWaitTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;

  @Test
  @Conformance({37, 38, 59})
  void everyReadyFdIsReportedOnceWithAllItsBits() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open(3)) {
      int last = 0;
      for (int i = 0; i < 3; i++) {
        last = fds.eventfd(0);
        epoll.add(last, IN.or(OUT), 100 + i);
      }
      assertEquals(3, epoll.waitForEvents());
      assertEquals(List.of(event(OUT, 100), event(OUT, 101), event(OUT, 102)), Harvest.now(epoll));
      Fds.add(last, 1);
      assertEquals(
          Set.of(event(OUT, 100), event(OUT, 101), event(IN.or(OUT), 102)),
          Set.copyOf(Harvest.now(epoll)));
    }
  }

  @Test
  @Conformance(59)
  void theCountIsThatOfTheCallbacks() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      epoll.add(fds.eventfd(1), IN.or(OUT), 1);
      epoll.add(fds.eventfd(1), IN, 2);
      int count = epoll.waitForEvents();
      List<Long> called = new ArrayList<>();
      epoll.ready().forEach((mask, data) -> called.add(data));
      assertEquals(2, count);
      assertEquals(List.of(1L, 2L), called);
      assertEquals(2, epoll.ready().size());
    }
  }

  @Test
  @Conformance(40)
  void thePipeReportsTheEndsThatAreReady() throws Exception {
    try (Fds fds = new Fds();
        Epoll one = Epoll.open(1);
        Epoll two = Epoll.open(2)) {
      Fds.Pair pipe = fds.pipe();
      for (Epoll epoll : List.of(one, two)) {
        epoll.add(pipe.a(), IN, 1);
        epoll.add(pipe.b(), OUT, 2);
      }
      assertEquals(List.of(event(OUT, 2)), Harvest.now(one));
      int capacity = Fds.fill(pipe.b());
      assertEquals(List.of(event(IN, 1)), Harvest.now(one));
      Fds.drain(pipe.a());
      Fds.write(pipe.b(), capacity / 2);
      assertEquals(Set.of(event(IN, 1), event(OUT, 2)), Set.copyOf(Harvest.now(two)));
    }
  }

  @Test
  @Conformance(41)
  void thirteenReadyFdsComeInBatchesOfThree() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open(3)) {
      List<Fds.Pair> pipes = new ArrayList<>();
      for (int i = 0; i < 18; i++) {
        pipes.add(fds.pipe());
        epoll.add(pipes.get(i).a(), IN, i);
      }
      for (int i = 0; i < 13; i++) {
        Fds.write(pipes.get(i).b(), 1);
      }
      List<Integer> counts = new ArrayList<>();
      Set<Long> reported = new HashSet<>();
      for (List<Harvest.Event> batch = Harvest.now(epoll);
          !batch.isEmpty();
          batch = Harvest.now(epoll)) {
        counts.add(batch.size());
        for (Harvest.Event event : batch) {
          assertTrue(event.data() < 13 && reported.add(event.data()), event::toString);
          assertEquals(1, Fds.drain(pipes.get((int) event.data()).a()));
        }
      }
      assertEquals(List.of(3, 3, 3, 3, 1), counts);
    }
  }

  @Test
  @Conformance(41)
  void oneEventAtATimeGoesRoundAllReadyFds() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open(1)) {
      for (int i = 0; i < 3; i++) {
        epoll.add(fds.eventfd(1), IN, i);
      }
      for (int i = 0; i < 9; i++) {
        assertEquals(List.of(event(IN, i % 3)), Harvest.now(epoll));
      }
    }
  }

  @Test
  @Conformance(43)
  void seventyReadyFdsPassThroughABufferOfSixteen() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open(16)) {
      for (int i = 0; i < 70; i++) {
        epoll.add(fds.udp(), OUT.or(EventMask.ONESHOT), i);
      }
      Set<Long> reported = new HashSet<>();
      for (int expected : new int[] {16, 16, 16, 16, 6, 0}) {
        List<Harvest.Event> batch = Harvest.now(epoll);
        assertEquals(expected, batch.size());
        batch.forEach(event -> assertTrue(reported.add(event.data()), event::toString));
      }
      assertEquals(70, reported.size());
    }
  }

  @Test
  @Conformance(44)
  void aRandomOneOfAHundredConnectionsIsReportedAlone() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      List<Fds.Pair> pairs = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Fds.Pair pair = fds.pair();
        pairs.add(pair);
        epoll.add(pair.b(), IN, pair.b());
      }
      while (!pairs.isEmpty()) {
        Fds.Pair pair = pairs.remove(random.nextInt(pairs.size()));
        Fds.write(pair.a(), 1);
        assertEquals(event(IN, pair.b()), Harvest.next(epoll), () -> "seed " + seed);
        epoll.remove(pair.b());
      }
      assertEquals(0, epoll.size());
    }
  }

  @Test
  @Conformance(46)
  void aWaitOfZeroAsksTheKernel() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll probe = Epoll.open();
        Epoll epoll = Epoll.open()) {
      int port = LoopbackFds.port(fds.listener(8));
      for (int i = 0; i < 3; i++) {
        int client = fds.connecting(port);
        epoll.add(client, OUT, i);
        probe.add(client, OUT, i);
      }
      Eventually.until("all are connected", () -> Harvest.count(probe) == 3);
      assertEquals(3, epoll.waitForEvents(Duration.ZERO));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 100_000, 900_000, 1_000_000, 1_000_001, 100_000_000})
  @Conformance(47)
  void anEmptySetWaitsForItsTimeAndNotLess(long nanos) throws Exception {
    try (Epoll epoll = Epoll.open()) {
      long start = System.nanoTime();
      assertEquals(0, epoll.waitForEvents(Duration.ofNanos(nanos)));
      long waited = System.nanoTime() - start;
      assertTrue(waited >= nanos, () -> waited + " ns");
      assertEquals(0, epoll.ready().size());
    }
  }

  @Test
  @Conformance(56)
  void waitingInsideAConsumerIsRefusedAndTheOuterOneGoesOn() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      epoll.add(fds.eventfd(1), IN, 1);
      epoll.add(fds.eventfd(1), IN, 2);
      epoll.waitForEvents();
      List<Long> called = new ArrayList<>();
      epoll
          .ready()
          .forEach(
              (mask, data) -> {
                called.add(data);
                IllegalStateException refused =
                    assertThrows(IllegalStateException.class, epoll::waitForEvents);
                assertTrue(refused.getMessage().contains("forEach"));
              });
      assertEquals(List.of(1L, 2L), called);
      assertEquals(2, Harvest.count(epoll));
    }
  }

  @Test
  void aConsumerThatThrowsLeavesTheSetUsable() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      epoll.add(fds.eventfd(1), IN, 1);
      epoll.waitForEvents();
      IllegalArgumentException thrown = new IllegalArgumentException("by the consumer");
      assertEquals(
          thrown,
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  epoll
                      .ready()
                      .forEach(
                          (mask, data) -> {
                            throw thrown;
                          })));
      assertEquals(List.of(event(IN, 1)), Harvest.now(epoll));
    }
  }

  @Test
  void eventsOutsideTheBatchAreRefused() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(1);
      epoll.add(fd, IN, 1);
      ReadyEvents ready = epoll.ready();
      assertThrows(IndexOutOfBoundsException.class, () -> ready.mask(0));
      epoll.waitForEvents();
      assertEquals(1, ready.data(0));
      assertThrows(IndexOutOfBoundsException.class, () -> ready.data(1));
      assertThrows(IndexOutOfBoundsException.class, () -> ready.mask(-1));
      Fds.drain(fd);
      assertEquals(0, Harvest.count(epoll));
      assertThrows(IndexOutOfBoundsException.class, () -> ready.data(0));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {Integer.MAX_VALUE / 1000L + 1, 25L * 24 * 3600, 1L << 40, Long.MAX_VALUE})
  @Conformance(55)
  void aHugeTimeoutIsNeitherNegativeNorOver(long seconds) throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      epoll.add(fd, IN, 1);
      Duration timeout = Duration.ofSeconds(seconds, 999_999_999);
      WaitingThread waiting = WaitingThread.in(epoll, () -> epoll.waitForEvents(timeout));
      Fds.add(fd, 1);
      assertEquals(1, waiting.count());
    }
  }

  @Test
  void aChangeTakesEffectOnAWaitThatIsBlocked() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.socket(LibC.AF_INET, LibC.SOCK_DGRAM);
      epoll.add(fd, IN, 1);
      WaitingThread modified = WaitingThread.in(epoll);
      epoll.modify(fd, OUT, 2);
      assertEquals(1, modified.count());
      epoll.remove(fd);
      WaitingThread added = WaitingThread.in(epoll);
      epoll.add(fds.eventfd(1), IN, 3);
      assertEquals(1, added.count());
      assertEquals(3, epoll.ready().data(0));
    }
  }

  private static Harvest.Event event(EventMask mask, long data) {
    return new Harvest.Event(mask, data);
  }
}
