package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.PollerKind;
import dev.epoll.testing.Signals;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class PollerTimeTest {
  private static final String THREAD = "time-test";

  @Parameter private PollerKind kind;
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open(PollerConfig.defaults().withThreadName(THREAD));
  }

  @AfterEach
  void close() {
    poller.close();
  }

  @Test
  @Conformance({268, 269})
  void noTimerOfAThousandIsEarly() throws Exception {
    for (int i = 0; i < 1000; i++) {
      long nanos = 1 + i * 199L;
      RecordingWaiter timer = new RecordingWaiter();
      long start = System.nanoTime();
      poller.schedule(Duration.ofNanos(nanos), timer);
      assertTrue(timer.readiness().isNone());
      assertTrue(System.nanoTime() - start >= nanos, "early");
    }
    // Woken twice for each, by the new timer and by its time; a cooperative poller looks twice more
    // before it sleeps.
    int most = kind == PollerKind.DEDICATED ? 4_000 : 8_000;
    assertTrue(poller.stats().waits() < most, "spins");
  }

  @Test
  void timersRunInTheOrderOfTheirTimes() throws Exception {
    Timers timers = new Timers();
    List<Integer> ran = new ArrayList<>();
    for (int deadline : new int[] {30, 10, 40, 20}) {
      timers.add(deadline, action(ran, deadline));
    }
    for (Timers.Action due = timers.takeDue(30); due != null; due = timers.takeDue(30)) {
      due.due();
    }
    assertEquals(List.of(10, 20, 30), ran);
    assertEquals(1, timers.size());
  }

  @Test
  void timersOfTheSameTimeKeepTheirOrder() throws Exception {
    Timers timers = new Timers();
    List<Integer> ran = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      timers.add(5, action(ran, i));
    }
    for (Timers.Action due = timers.takeDue(5); due != null; due = timers.takeDue(5)) {
      due.due();
    }
    assertEquals(100, ran.size());
    assertEquals(ran.stream().sorted().toList(), ran);
  }

  @Test
  void timesAreComparedAcrossTheOverflowOfTheClock() throws Exception {
    Timers timers = new Timers();
    List<Integer> ran = new ArrayList<>();
    timers.add(Long.MIN_VALUE + 10, action(ran, 2));
    timers.add(Long.MAX_VALUE - 10, action(ran, 1));
    assertEquals(5, timers.nanosToFirst(Long.MAX_VALUE - 15));
    assertNull(timers.takeDue(Long.MAX_VALUE - 11));
    timers.takeDue(Long.MAX_VALUE - 10).due();
    assertNull(timers.takeDue(Long.MAX_VALUE));
    timers.takeDue(Long.MIN_VALUE + 10).due();
    assertEquals(List.of(1, 2), ran);
  }

  private static Timers.Action action(List<Integer> ran, int number) {
    return new Timers.Action() {
      @Override
      public void due() {
        ran.add(number);
      }

      @Override
      public void ended(IOException cause) {}
    };
  }

  @Test
  @Conformance({278})
  void aCancelledTimerNeverRunsAndLeavesNothing() throws Exception {
    List<Cancellable> cancelled = new ArrayList<>();
    RecordingWaiter never = new RecordingWaiter();
    for (int i = 0; i < 10_000; i++) {
      cancelled.add(poller.schedule(Duration.ofHours(1), never));
    }
    Cancellable soon = poller.schedule(Duration.ofMillis(100), never);
    assertEquals(10_001, poller.snapshot().timers());
    for (Cancellable timer : cancelled) {
      assertTrue(timer.cancel());
      assertFalse(timer.cancel());
    }
    assertTrue(soon.cancel());
    assertEquals(0, poller.snapshot().timers());
    RecordingWaiter later = new RecordingWaiter();
    Cancellable ran = poller.schedule(Duration.ofMillis(110), later);
    assertTrue(later.readiness().isNone());
    assertFalse(ran.cancel());
    assertFalse(never.isTold());
  }

  @Test
  @Conformance({274})
  void hugeDelaysNeitherOverflowNorFire() throws Exception {
    RecordingWaiter never = new RecordingWaiter();
    List<Cancellable> timers = new ArrayList<>();
    List<Duration> delays =
        List.of(
            Duration.ofSeconds(Long.MAX_VALUE),
            Duration.ofNanos(Long.MAX_VALUE),
            Duration.ofNanos(Long.MAX_VALUE / 2),
            Duration.ofMillis(Integer.MAX_VALUE).plusNanos(1),
            Duration.ofDays(25));
    for (Duration delay : delays) {
      timers.add(poller.schedule(delay, never));
      Rounds.assertSilent(poller, never);
    }
    long waits = poller.stats().waits();
    Thread.sleep(50);
    assertTrue(poller.stats().waits() - waits <= 2, "spins");
    RecordingWaiter soon = new RecordingWaiter();
    poller.schedule(Duration.ofMillis(1), soon);
    soon.readiness();
    timers.forEach(timer -> assertTrue(timer.cancel()));
    assertFalse(never.isTold());
  }

  @Test
  void anEarlierTimerWakesAPollerThatSleepsForALaterOne() throws Exception {
    RecordingWaiter late = new RecordingWaiter();
    Cancellable later = poller.schedule(Duration.ofHours(1), late);
    for (int i = 0; i < 50; i++) {
      kind.asleep(THREAD);
      RecordingWaiter soon = new RecordingWaiter();
      poller.schedule(Duration.ofNanos(1000), soon);
      soon.readiness();
    }
    assertTrue(later.cancel());
  }

  @Test
  @Conformance({50, 275})
  void signalsNeitherShortenNorLengthenATimer() throws Exception {
    Signals.handle();
    RecordingWaiter timer = new RecordingWaiter();
    long start = System.nanoTime();
    poller.schedule(Duration.ofMillis(200), timer);
    while (!timer.isTold()) {
      Signals.send(kind.sleeper(THREAD));
      Thread.sleep(1);
    }
    assertTrue(timer.readiness().isNone());
    assertTrue(System.nanoTime() - start >= 200_000_000L);
    assertEquals(0, poller.stats().events());
  }

  @Test
  @Conformance({272})
  void millisecondsAreRoundedUpClampedAndNeverNegative() {
    assertEquals(-1, EpollFd.millisRoundedUp(EpollFd.FOREVER));
    assertEquals(0, EpollFd.millisRoundedUp(0));
    assertEquals(1, EpollFd.millisRoundedUp(1));
    assertEquals(1, EpollFd.millisRoundedUp(999_000));
    assertEquals(1, EpollFd.millisRoundedUp(1_000_000));
    assertEquals(2, EpollFd.millisRoundedUp(1_000_001));
    assertEquals(3, EpollFd.millisRoundedUp(3_000_000));
    assertEquals(Integer.MAX_VALUE, EpollFd.millisRoundedUp(Long.MAX_VALUE));
    assertEquals(Integer.MAX_VALUE, EpollFd.millisRoundedUp(Duration.ofDays(25).toNanos()));
  }
}
