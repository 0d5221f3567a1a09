package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class BlockUntilTest {
  @Parameter private PollerKind kind;
  private final Fds fds = new Fds();
  private Poller poller;
  private Registration registration;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open();
    registration = poller.register(fds.eventfd(0));
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  private int waiting() {
    return poller.snapshot().registrations().get(0).waiters();
  }

  private interface Call {
    Readiness run() throws Exception;
  }

  /** Runs {@code call} on a thread of its own, which waits when this returns. */
  private static Thread start(AtomicReference<Object> outcome, Call call) {
    Thread thread =
        new Thread(
            () -> {
              try {
                outcome.set(call.run());
              } catch (Exception e) {
                outcome.set(e);
              }
            });
    thread.start();
    Eventually.parked(thread);
    return thread;
  }

  @Test
  @Conformance({286})
  void aThreadBlocksUntilItsFdIsReady() throws Exception {
    AtomicReference<Object> outcome = new AtomicReference<>();
    Thread thread = start(outcome, () -> registration.blockUntil(Interest.READABLE));
    assertEquals(1, waiting());
    Fds.add(registration.fd(), 1);
    thread.join();
    assertEquals(EventMask.IN, ((Readiness) outcome.get()).mask());
  }

  @Test
  @Conformance({334, 266})
  void interruptEndsTheWaitAndLeavesTheFdUsable() throws Exception {
    AtomicReference<Object> outcome = new AtomicReference<>();
    Thread thread = start(outcome, () -> registration.blockUntil(Interest.READABLE));
    thread.interrupt();
    thread.join();
    assertEquals(InterruptedException.class, outcome.get().getClass());
    assertEquals(0, waiting());
    Fds.add(registration.fd(), 1);
    assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
  }

  @Test
  @Conformance({265, 329})
  void interruptBeforeTheWaitEndsItWithoutAnAwait() throws Exception {
    Fds.add(registration.fd(), 1);
    for (Call call :
        java.util.List.<Call>of(
            () -> registration.blockUntil(Interest.READABLE),
            () -> registration.blockUntil(Interest.READABLE, Duration.ofDays(1)),
            () -> registration.blockUntil(Interest.READABLE, Duration.ZERO))) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedException.class, call::run);
      assertFalse(Thread.interrupted(), "the exception takes the status with it");
    }
    assertEquals(0, poller.stats().arms());
    assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
  }

  @Test
  @Conformance({262})
  void noInterruptAndNoEventIsLostWhenTheyRace() throws Exception {
    AtomicInteger interrupts = new AtomicInteger();
    AtomicInteger events = new AtomicInteger();
    int rounds = 5000;
    Thread thread =
        new Thread(
            () -> {
              while (interrupts.get() + events.get() < rounds) {
                try {
                  registration.blockUntil(Interest.READABLE);
                  Fds.drain(registration.fd());
                  if (Thread.interrupted()) {
                    interrupts.incrementAndGet();
                  }
                  events.incrementAndGet();
                } catch (InterruptedException e) {
                  interrupts.incrementAndGet();
                } catch (java.io.IOException e) {
                  throw new AssertionError(e);
                }
              }
            });
    thread.start();
    for (int i = 0; thread.isAlive(); i++) {
      int before = interrupts.get() + events.get();
      if (i % 2 == 0) {
        thread.interrupt();
      } else {
        Fds.add(registration.fd(), 1);
      }
      if (i % 3 == 0) {
        spinUntil(() -> interrupts.get() + events.get() > before || !thread.isAlive());
      }
    }
    thread.join();
    assertTrue(interrupts.get() > 0 && events.get() > 0);
    Rounds.pass(poller);
    PollerStats stats = poller.stats();
    assertEquals(stats.arms(), stats.resumes() + stats.cancels());
  }

  private static void spinUntil(java.util.function.BooleanSupplier condition) {
    long limit = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - limit < 0, "an interrupt or an event is lost");
      Thread.onSpinWait();
    }
  }

  @Test
  @Conformance({332, 268})
  void theEndOfTheTimeIsNoneAndNeverEarly() throws Exception {
    for (int i = 0; i < 50; i++) {
      long nanos = 100_000 * (1L + i % 5);
      long start = System.nanoTime();
      assertTrue(registration.blockUntil(Interest.READABLE, Duration.ofNanos(nanos)).isNone());
      assertTrue(System.nanoTime() - start >= nanos, "early");
    }
    assertEquals(0, waiting());
    assertEquals(50, poller.stats().cancels());
    Fds.add(registration.fd(), 1);
    assertTrue(registration.blockUntil(Interest.READABLE, Duration.ofDays(1)).isReadable());
  }

  @Test
  @Conformance({271, 277, 46})
  void zeroTimeAsksTheKernelOnceAndReturnsAtOnce() throws Exception {
    assertTrue(registration.blockUntil(Interest.READABLE, Duration.ZERO).isNone());
    assertEquals(EventMask.OUT, registration.blockUntil(Interest.WRITABLE, Duration.ZERO).mask());
    Fds.add(registration.fd(), 1);
    assertEquals(EventMask.IN, registration.blockUntil(Interest.READABLE, Duration.ZERO).mask());
    PollerStats stats = poller.stats();
    assertEquals(1, stats.epollControls());
    assertEquals(0, stats.arms());
  }

  @Test
  void zeroTimeOnAnFdThatWasClosedSaysSo() {
    fds.close(registration.fd());
    SyscallException failure =
        assertThrows(
            SyscallException.class,
            () -> registration.blockUntil(Interest.READABLE, Duration.ZERO));
    assertEquals("EBADF", failure.errnoName());
    assertEquals(registration.fd(), failure.fd());
  }

  @Test
  @Conformance({277})
  void anEventThatRacesWithTheEndOfTheTimeIsReportedNowOrByTheNextWait() throws Exception {
    for (int round = 0; round < 500; round++) {
      Thread writer = new Thread(() -> Fds.add(registration.fd(), 1));
      writer.start();
      Readiness first =
          registration.blockUntil(Interest.READABLE, Duration.ofNanos(1 + round * 400L));
      writer.join();
      if (first.isNone()) {
        first = registration.blockUntil(Interest.READABLE, Duration.ofSeconds(20));
      }
      assertTrue(first.isReadable(), "the event is lost");
      Fds.drain(registration.fd());
    }
  }

  @Test
  @Conformance({274, 284})
  void hugeTimesWaitForTheEvent() throws Exception {
    AtomicReference<Object> outcome = new AtomicReference<>();
    Duration huge = Duration.ofSeconds(Long.MAX_VALUE);
    Thread thread = start(outcome, () -> registration.blockUntil(Interest.READABLE, huge));
    Fds.add(registration.fd(), 1);
    thread.join();
    assertTrue(((Readiness) outcome.get()).isReadable());
  }

  @Test
  @Conformance({278})
  void closeEndsATimedWaitWithItsOwnException() throws Exception {
    AtomicReference<Object> outcome = new AtomicReference<>();
    Duration day = Duration.ofDays(1);
    Thread thread = start(outcome, () -> registration.blockUntil(Interest.READABLE, day));
    registration.close();
    thread.join();
    assertEquals(ClosedRegistrationException.class, outcome.get().getClass());
  }

  @Test
  @Conformance({56})
  void thePollerThreadDoesNotWaitForItself() throws Exception {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Rounds.inPoller(
        poller,
        () ->
            thrown.set(
                assertThrows(
                    IllegalStateException.class,
                    () -> registration.blockUntil(Interest.READABLE))));
    assertEquals(IllegalStateException.class, thrown.get().getClass());
    assertEquals(0, poller.stats().arms());
    try (Poller other = kind.open()) {
      Registration elsewhere = other.register(fds.eventfd(1));
      Rounds.inPoller(
          poller,
          () ->
              thrown.set(
                  thrownBy(() -> elsewhere.blockUntil(Interest.READABLE, Duration.ofDays(1)))));
      assertEquals(null, thrown.get());
    }
  }

  private static Throwable thrownBy(Call call) {
    try {
      call.run();
      return null;
    } catch (Exception e) {
      return e;
    }
  }
}
