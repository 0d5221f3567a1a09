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
import dev.epoll.SyscallException;
import dev.epoll.fd.TimerFd.Clock;
import dev.epoll.fd.TimerFd.OnClockSet;
import dev.epoll.fd.TimerFd.Setting;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class TimerFdTest {
  private static final Duration A_WHILE = Duration.ofMillis(50);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration LONGEST = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);

  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  private static boolean isReady(TimerFd timer) throws Exception {
    return !timer.registration().blockUntil(Interest.READABLE, Duration.ZERO).isNone();
  }

  private static void assertNothingFor(Duration time, TimerFd timer) throws Exception {
    assertTrue(timer.registration().blockUntil(Interest.READABLE, time).isNone());
    assertEquals(TimerFd.NONE, timer.tryTake());
  }

  @ParameterizedTest
  @EnumSource(Clock.class)
  @Conformance(197)
  void aNewTimerIsNotArmed(Clock clock) throws Exception {
    try (TimerFd timer = TimerFd.open(poller, clock)) {
      assertEquals(clock, timer.clock());
      assertEquals(new Setting(Duration.ZERO, Duration.ZERO), timer.setting());
      assertFalse(timer.setting().isArmed());
      assertNothingFor(Duration.ZERO, timer);
    }
  }

  @ParameterizedTest
  @EnumSource(Clock.class)
  void expiresOnceAndNeverEarly(Clock clock) throws Exception {
    try (TimerFd timer = TimerFd.open(poller, clock)) {
      long start = System.nanoTime();
      timer.setAfter(Duration.ofMillis(20));
      assertEquals(1, timer.blocking().take());
      assertTrue(System.nanoTime() - start >= 20_000_000);
      assertFalse(timer.setting().isArmed());
      assertNothingFor(Duration.ZERO, timer);
    }
  }

  @Test
  void aDelayOfZeroExpiresAtOnce() throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      timer.setAfter(Duration.ZERO);
      assertEquals(1, timer.blocking().take());
      timer.setAfter(Duration.ZERO, HOUR);
      assertEquals(1, timer.blocking().take());
      assertEquals(HOUR, timer.setting().period());
    }
  }

  @Test
  @Conformance(199)
  void aPeriodicTimerCountsThePeriodsThatPassed() throws Exception {
    try (TimerFd timer = TimerFd.open(poller, Clock.REALTIME)) {
      Instant threePeriodsAgo = Instant.now().minus(HOUR.multipliedBy(3));
      timer.setAt(threePeriodsAgo, HOUR, OnClockSet.FOLLOW);
      assertEquals(4, timer.blocking().take());
      assertNothingFor(Duration.ZERO, timer);
      timer.setEvery(Duration.ofMillis(2));
      long start = System.nanoTime();
      long count = 0;
      while (count < 5) {
        count += timer.blocking().take();
      }
      // Set before the start, so that the first period may have begun a little earlier.
      assertTrue(System.nanoTime() - start >= (count - 1) * 2_000_000);
    }
  }

  @Test
  @Conformance(200)
  void settingATimerResetsItsExpirations() throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      timer.setAfter(Duration.ZERO);
      timer.registration().blockUntil(Interest.READABLE);
      timer.disarm();
      assertFalse(isReady(timer));
      assertNothingFor(Duration.ZERO, timer);
      timer.setAfter(Duration.ZERO);
      timer.registration().blockUntil(Interest.READABLE);
      timer.setAfter(HOUR);
      assertNothingFor(Duration.ZERO, timer);
    }
  }

  @Test
  @Conformance(202)
  void aTimeInThePastExpiresAtOnce() throws Exception {
    try (TimerFd timer = TimerFd.open(poller, Clock.REALTIME)) {
      for (Instant past :
          new Instant[] {Instant.now(), Instant.EPOCH.plusNanos(1), Instant.EPOCH, Instant.MIN}) {
        timer.setAt(past);
        assertEquals(1, timer.blocking().take());
      }
      timer.setAt(Instant.now().minusSeconds(1), Duration.ofMillis(10), OnClockSet.FOLLOW);
      assertTrue(timer.blocking().take() >= 101);
    }
  }

  @ParameterizedTest
  @EnumSource(Clock.class)
  @Conformance(203)
  void aTimeBeyondTheEndOfTheWorldDoesNotOverflow(Clock clock) throws Exception {
    try (TimerFd timer = TimerFd.open(poller, clock)) {
      timer.setAfter(LONGEST, LONGEST);
      assertTrue(timer.setting().isArmed());
      assertNothingFor(A_WHILE, timer);
      timer.setEvery(Duration.ofMillis(Long.MAX_VALUE));
      assertNothingFor(A_WHILE, timer);
      if (clock == Clock.REALTIME) {
        timer.setAt(Instant.MAX, LONGEST, OnClockSet.CANCEL);
        assertTrue(timer.setting().isArmed());
        assertNothingFor(A_WHILE, timer);
      }
      timer.setAfter(Duration.ZERO, LONGEST);
      assertEquals(1, timer.blocking().take());
      assertNothingFor(Duration.ZERO, timer);
      timer.disarm();
      assertFalse(timer.setting().isArmed());
    }
  }

  @Test
  @Conformance(208)
  void settingAgainReplacesTheOldSetting() throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      Duration twentyYears = Duration.ofDays(20 * 365);
      timer.setAfter(Duration.ofMillis(10), Duration.ofMillis(10));
      timer.setAfter(twentyYears);
      assertNothingFor(A_WHILE, timer);
      assertTrue(timer.setting().remaining().compareTo(twentyYears) < 0);
      assertTrue(timer.setting().remaining().compareTo(twentyYears.minus(HOUR)) > 0);
      assertEquals(Duration.ZERO, timer.setting().period());
    }
  }

  @Test
  @Conformance(209)
  void aPeriodicTimerFollowsItsNewSetting() throws Exception {
    try (TimerFd timer = TimerFd.open(poller, Clock.REALTIME)) {
      timer.setEvery(Duration.ofMillis(1));
      timer.blocking().take();
      long start = System.nanoTime();
      timer.setAfter(Duration.ofMillis(20), HOUR);
      assertEquals(1, timer.blocking().take());
      assertTrue(System.nanoTime() - start >= 20_000_000);
      timer.setAfter(HOUR);
      Instant soon = Instant.now().plusMillis(20);
      timer.setAt(soon);
      assertEquals(1, timer.blocking().take());
      assertFalse(Instant.now().isBefore(soon));
    }
  }

  @Test
  @Conformance(211)
  void veryShortPeriodsAreCountedWithoutStalling() throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      long beforeSetting = System.nanoTime();
      timer.setEvery(Duration.ofNanos(1));
      long afterSetting = System.nanoTime();
      // A while passes: a timer is never writable.
      timer.registration().blockUntil(Interest.WRITABLE, A_WHILE);
      long counted = 0;
      for (int i = 0; i < 100; i++) {
        long atLeast = System.nanoTime() - afterSetting;
        counted += timer.blocking().take();
        long atMost = System.nanoTime() - beforeSetting;
        long all = counted;
        assertTrue(counted >= atLeast && counted <= atMost, () -> atLeast + " " + all);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  @Conformance(283)
  void whoeverWaitsIsToldByTheSettingThatIsMadeMeanwhile(ThreadKind kind) throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      timer.setAfter(HOUR);
      Running<Long> taker =
          Running.on(kind, timer.blocking()::take).waitingOn(timer.registration());
      timer.disarm();
      timer.setAfter(Duration.ofMillis(5));
      assertEquals(1L, taker.result());
    }
  }

  @Test
  void anExpirationIsTakenByOne() throws Exception {
    TimerFd timer = TimerFd.open(poller);
    Running<Long> first = Running.of(timer.blocking()::take).waitingOn(timer.registration());
    Running<Long> second = Running.of(timer.blocking()::take).waitingOn(timer.registration());
    timer.setAfter(Duration.ZERO, HOUR);
    Eventually.until("one took it", () -> first.isDone() || second.isDone());
    assertNothingFor(A_WHILE, timer);
    Running<Long> other = first.isDone() ? second : first;
    assertEquals(1L, (first.isDone() ? first : second).result());
    assertFalse(other.isDone());
    timer.close();
    assertInstanceOf(ClosedChannelException.class, other.failure());
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void closeFailsTheWaitingTakerAndLaterCalls(ThreadKind kind) throws Exception {
    TimerFd timer = TimerFd.open(poller, Clock.REALTIME);
    Running<Long> taker = Running.on(kind, timer.blocking()::take).waitingOn(timer.registration());
    timer.close();
    timer.close();
    assertInstanceOf(ClosedRegistrationException.class, taker.failure());
    assertThrows(ClosedChannelException.class, timer::tryTake);
    assertThrows(ClosedChannelException.class, timer::setting);
    assertThrows(ClosedChannelException.class, timer::disarm);
    assertThrows(ClosedChannelException.class, () -> timer.setAfter(HOUR));
    assertThrows(ClosedChannelException.class, () -> timer.setAt(Instant.now()));
    assertEquals("TimerFd(fd " + timer.fd() + " (closed))", timer.toString());
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void anInterruptEndsTheWaitAndLeavesTheTimerOpen(ThreadKind kind) throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      Running<Long> taker =
          Running.on(kind, timer.blocking()::take).waitingOn(timer.registration());
      taker.interrupt();
      assertInstanceOf(InterruptedIOException.class, taker.failure());
      assertTrue(taker.interruptedAtEnd());
      timer.setAfter(Duration.ZERO);
      assertEquals(1, timer.blocking().take());
    }
  }

  @Test
  void refusesWhatCannotBeSetAndKeepsItsSetting() throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      timer.setAfter(HOUR, HOUR);
      Duration negative = Duration.ofNanos(-1);
      for (var call :
          new Executable[] {
            () -> timer.setAfter(negative),
            () -> timer.setAfter(HOUR, negative),
            () -> timer.setEvery(negative),
          }) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains("PT-0.000000001S: give zero or more"), message);
      }
      String zero =
          assertThrows(IllegalArgumentException.class, () -> timer.setEvery(Duration.ZERO))
              .getMessage();
      assertTrue(zero.contains("disarm()"), zero);
      String wrongClock =
          assertThrows(UnsupportedOperationException.class, () -> timer.setAt(Instant.now()))
              .getMessage();
      assertTrue(wrongClock.contains("MONOTONIC: use setAfter"), wrongClock);
      assertEquals(HOUR, timer.setting().period());
      assertTrue(timer.setting().isArmed());
    }
  }

  @Test
  void isCloseOnExecAndNonBlocking() throws Exception {
    try (TimerFd timer = TimerFd.open(poller)) {
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(timer.fd(), LibC.F_GETFD, 0));
      assertTrue((C.fcntl(timer.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
    }
  }

  @Test
  void anOpeningThatFailsLeavesNothing() throws Exception {
    TimerFd.open(poller).close();
    assertEquals(
        "x: EPERM (Operation not permitted)", new SyscallException("x", 1, -1).getMessage());
    Poller closed = Poller.open();
    closed.close();
    var before = KernelFds.openNow();
    SyscallException e =
        FdLimit.whileReached(
            () -> assertThrows(SyscallException.class, () -> TimerFd.open(poller)));
    assertEquals("timerfd_create: EMFILE (Too many open files)", e.getMessage());
    assertThrows(ClosedPollerException.class, () -> TimerFd.open(closed));
    KernelFds.assertNoneSince(before);
    TimerFd.open(poller).close();
  }
}
