package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.testing.CapturedLog;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FaultySyscalls;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.VThreads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;

/** A poller whose rounds are run by hand: whatever comes as it falls asleep wakes it. */
class CooperativePollerTest {
  private final Fds fds = new Fds();
  private Map<Integer, String> before;
  private int watchedBefore;
  private PollerRounds rounds;
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    watchedBefore = watchedByShared();
    before = KernelFds.openNow();
    poller = Poller.open(PollerConfig.defaults(), started -> rounds = started);
  }

  /** Nothing is left, of which the shared poller tells too. */
  @AfterEach
  void close() {
    poller.close();
    fds.close();
    KernelFds.assertNoneSince(before);
    assertEquals(watchedBefore, watchedByShared());
    assertEquals(0, Poller.shared().snapshot().timers());
  }

  private static int watchedByShared() {
    return Poller.shared().snapshot().registrations().size();
  }

  /** Runs rounds until it is time to sleep. */
  private void settle() {
    while (rounds.run()) {
      // Once more.
    }
  }

  /** A driver that has gone to sleep. */
  private RecordingWaiter asleep() throws IOException {
    settle();
    RecordingWaiter driver = new RecordingWaiter();
    assertTrue(rounds.arm(driver));
    return driver;
  }

  /** What a driver does for as long as {@code timer} is all there is to do. */
  private void sleepUntilTold(RecordingWaiter timer) throws IOException {
    while (!timer.isTold()) {
      RecordingWaiter driver = new RecordingWaiter();
      if (rounds.arm(driver)) {
        driver.readiness();
      }
      rounds.run();
    }
  }

  @Test
  void itWakesForATaskAndDoesNotSleepOnOne() throws Exception {
    AtomicBoolean ran = new AtomicBoolean();
    RecordingWaiter driver = asleep();
    poller.execute(() -> ran.set(true));
    driver.readiness();
    assertTrue(rounds.run());
    assertTrue(ran.getAndSet(false));
    poller.execute(() -> ran.set(true));
    RecordingWaiter awake = new RecordingWaiter();
    assertFalse(rounds.arm(awake));
    assertTrue(rounds.run());
    assertTrue(ran.get());
    assertFalse(awake.isTold());
  }

  @Test
  void itWakesWhenATimerIsDueNeverBeforeAndForAnEarlierOne() throws Exception {
    long start = System.nanoTime();
    RecordingWaiter timer = new RecordingWaiter();
    poller.schedule(Duration.ofMillis(50), timer);
    sleepUntilTold(timer);
    assertTrue(System.nanoTime() - start >= 50_000_000);

    Cancellable late = poller.schedule(Duration.ofDays(1), new RecordingWaiter());
    RecordingWaiter driver = asleep();
    assertEquals(1, Poller.shared().snapshot().timers());
    timer = new RecordingWaiter();
    poller.schedule(Duration.ZERO, timer);
    driver.readiness();
    rounds.run();
    timer.readiness();
    assertTrue(late.cancel());
    RecordingWaiter due = new RecordingWaiter();
    poller.schedule(Duration.ZERO, due);
    assertFalse(rounds.arm(new RecordingWaiter()));
    rounds.run();
    due.readiness();
  }

  @Test
  void aTimerThatIsSleptOnAgainAndAgainCostsTheSharedPollerNothing() throws Exception {
    poller.schedule(Duration.ofDays(1), new RecordingWaiter());
    RecordingWaiter driver = asleep();
    long wakeups = Poller.shared().stats().wakeups();
    for (int i = 0; i < 100; i++) {
      poller.schedule(Duration.ofDays(2), new RecordingWaiter());
      poller.execute(() -> {});
      driver.readiness();
      rounds.run();
      assertEquals(1, Poller.shared().snapshot().timers(), "the alarm stays");
      driver = asleep();
    }
    assertEquals(1, Poller.shared().snapshot().timers());
    assertEquals(wakeups, Poller.shared().stats().wakeups());
  }

  @Test
  void anAlarmThatRangWhileItWasAwakeIsSetAnew() throws Exception {
    RecordingWaiter first = new RecordingWaiter();
    poller.schedule(Duration.ofMillis(5), first);
    rounds.arm(new RecordingWaiter());
    rounds.run();
    Eventually.until("it rang", () -> Poller.shared().snapshot().timers() == 0);
    sleepUntilTold(first);
    RecordingWaiter second = new RecordingWaiter();
    poller.schedule(Duration.ofMillis(5), second);
    sleepUntilTold(second);
  }

  @Test
  void anAlarmForATimerThatWasCancelledWakesItInVainAndThenForTheNext() throws Exception {
    Cancellable early = poller.schedule(Duration.ofMillis(1), new RecordingWaiter());
    RecordingWaiter driver = new RecordingWaiter();
    if (rounds.arm(driver)) {
      assertTrue(early.cancel());
      driver.readiness();
    }
    RecordingWaiter timer = new RecordingWaiter();
    poller.schedule(Duration.ofMillis(20), timer);
    sleepUntilTold(timer);
  }

  @Test
  void itWakesForAnEventWheneverTheFdBecameReadyAndWasArmed() throws Exception {
    Registration ready = poller.register(fds.eventfd(1));
    RecordingWaiter driver = asleep();
    RecordingWaiter reader = new RecordingWaiter();
    ready.arm(Interest.READABLE, reader);
    driver.readiness();
    rounds.run();
    reader.readiness();

    Registration registration = poller.register(fds.eventfd(0));
    reader = new RecordingWaiter();
    registration.arm(Interest.READABLE, reader);
    driver = asleep();
    Fds.add(registration.fd(), 1);
    driver.readiness();
    rounds.run();
    reader.readiness();

    settle();
    reader = new RecordingWaiter();
    registration.arm(Interest.READABLE, reader);
    driver = new RecordingWaiter();
    assertTrue(rounds.arm(driver), "events are not looked for again");
    driver.readiness();
    rounds.run();
    reader.readiness();
  }

  @Test
  void itIsTimeToSleepAfterTwoRoundsThatFoundNothing() {
    settle();
    assertFalse(rounds.run(), "one more finds nothing either");
    for (int i = 0; i < 2; i++) {
      poller.execute(() -> {});
      assertTrue(rounds.run());
      assertTrue(rounds.run(), "the first that finds nothing");
    }
    assertFalse(rounds.run());
  }

  @Test
  void whileItSleepsNothingIsDoneAndWakingItIsOneWrite() throws Exception {
    RecordingWaiter driver = asleep();
    PollerStats stats = poller.stats();
    Rounds.pass(Poller.shared());
    assertFalse(driver.isTold());
    assertEquals(stats.waits(), poller.stats().waits());
    for (int i = 0; i < 100; i++) {
      poller.execute(() -> {});
    }
    driver.readiness();
    settle();
    assertEquals(stats.wakeups() + 1, poller.stats().wakeups());
    asleep();
  }

  @Test
  void itsRoundsAreThePollerThread() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicBoolean inRound = new AtomicBoolean();
    poller.execute(
        () -> {
          inRound.set(poller.inPollerThread());
          thrown.set(
              assertThrows(
                  IllegalStateException.class, () -> registration.blockUntil(Interest.READABLE)));
        });
    settle();
    assertTrue(inRound.get());
    assertTrue(thrown.get().getMessage().contains("poller thread"));
    assertFalse(poller.inPollerThread());
  }

  @Test
  void closingEndsTheSleepOfTheDriverAndAllAwaits() throws Exception {
    RecordingWaiter reader = new RecordingWaiter();
    poller.register(fds.eventfd(0)).arm(Interest.READABLE, reader);
    RecordingWaiter timer = new RecordingWaiter();
    poller.schedule(Duration.ofDays(1), timer);
    RecordingWaiter driver = asleep();
    AtomicBoolean ran = new AtomicBoolean();
    poller.execute(() -> ran.set(true));
    poller.close();
    Eventually.until("the driver is told", driver::isTold);
    reader.failure(ClosedPollerException.class);
    timer.failure(ClosedPollerException.class);
    assertTrue(ran.get());
    assertTrue(rounds.isOver());
    assertFalse(rounds.run());
    assertFalse(rounds.arm(driver));
    rounds.fail(new IllegalStateException("too late"));
    assertEquals(Poller.State.CLOSED, poller.snapshot().state());
  }

  @Test
  void closingInARoundReturnsAtOnceAndTheRoundEndsIt() throws Exception {
    RecordingWaiter reader = new RecordingWaiter();
    poller.register(fds.eventfd(0)).arm(Interest.READABLE, reader);
    AtomicBoolean wasOver = new AtomicBoolean(true);
    poller.execute(
        () -> {
          poller.close();
          wasOver.set(rounds.isOver() || reader.isTold());
        });
    settle();
    assertFalse(wasOver.get());
    assertTrue(rounds.isOver());
    reader.failure(ClosedPollerException.class);
  }

  @Test
  void aRoundWithinARoundDoesNothing() throws Exception {
    Registration registration = poller.register(fds.eventfd(1));
    AtomicBoolean didSomething = new AtomicBoolean();
    RecordingWaiter.Reaction nested =
        () -> {
          if (rounds.run() || rounds.arm(new RecordingWaiter())) {
            didSomething.set(true);
          }
        };
    List<RecordingWaiter> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      readers.add(new RecordingWaiter(nested));
      registration.arm(Interest.READABLE, readers.get(i));
    }
    settle();
    for (RecordingWaiter reader : readers) {
      reader.readiness();
    }
    assertFalse(didSomething.get());
    assertEquals(Poller.State.OPEN, poller.snapshot().state());
  }

  @Test
  void failingInARoundReturnsAtOnceAndTheRoundEndsIt() throws Exception {
    Registration registration = poller.register(fds.eventfd(1));
    IllegalStateException failure = new IllegalStateException("no thread any more");
    AtomicBoolean wasOver = new AtomicBoolean(true);
    RecordingWaiter failing =
        new RecordingWaiter(
            () -> {
              rounds.fail(failure);
              wasOver.set(rounds.isOver());
            });
    RecordingWaiter next = new RecordingWaiter();
    RecordingWaiter other = new RecordingWaiter();
    registration.arm(Interest.READABLE, failing);
    registration.arm(Interest.READABLE, next);
    poller.register(fds.eventfd(0)).arm(Interest.READABLE, other);
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      settle();
      assertEquals(List.of(failure), log.thrown());
    }
    assertFalse(wasOver.get());
    assertTrue(rounds.isOver());
    failing.readiness();
    next.readiness();
    assertSame(failure, other.failure(IOException.class).getCause());
    assertEquals(Poller.State.FAILED, poller.snapshot().state());
  }

  @Test
  void whoClosesWhileARoundIsRunWaitsForIt() throws Exception {
    RecordingWaiter reader = new RecordingWaiter();
    poller.register(fds.eventfd(0)).arm(Interest.READABLE, reader);
    CountDownLatch inRound = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicBoolean roundEnded = new AtomicBoolean();
    poller.execute(
        () -> {
          inRound.countDown();
          Eventually.until("two wait for the end", () -> go.getCount() == 0);
          roundEnded.set(true);
        });
    Thread driver = new Thread(this::settle);
    driver.start();
    inRound.await();
    List<Thread> closers = new ArrayList<>();
    AtomicReference<String> early = new AtomicReference<>();
    for (int i = 0; i < 2; i++) {
      Thread closer =
          new Thread(
              () -> {
                poller.close();
                if (!roundEnded.get() || !reader.isTold() || !rounds.isOver()) {
                  early.set("close returned before the end");
                }
              });
      closer.start();
      closers.add(closer);
      Eventually.parked(closer);
    }
    go.countDown();
    for (Thread closer : closers) {
      closer.join();
    }
    driver.join();
    assertEquals(null, early.get());
  }

  @Test
  void anotherCooperativePollerMayBeClosedInARound() throws Exception {
    AtomicReference<PollerRounds> inner = new AtomicReference<>();
    Poller other = Poller.open(PollerConfig.defaults(), inner::set);
    RecordingWaiter reader = new RecordingWaiter();
    other.register(fds.eventfd(0)).arm(Interest.READABLE, reader);
    AtomicBoolean over = new AtomicBoolean();
    poller.execute(
        () -> {
          other.close();
          over.set(inner.get().isOver() && reader.isTold());
        });
    settle();
    assertTrue(over.get());
  }

  private interface Start {
    void with(PollerRounds rounds);
  }

  @Test
  void aDriverThatFailsToStartLeavesNothing() throws Exception {
    IllegalStateException failure = new IllegalStateException("no thread");
    List<Start> starts =
        List.of(
            started -> {},
            PollerRounds::run,
            started -> started.fail(failure),
            started -> armOrFail(started, new RecordingWaiter()));
    for (Start start : starts) {
      AtomicReference<PollerRounds> kept = new AtomicReference<>();
      int[] next = new int[2];
      try (CapturedLog log = CapturedLog.of(Poller.class)) {
        PollerDriver driver =
            started -> {
              kept.set(started);
              start.with(started);
              next[0] = fds.eventfd(0);
              throw failure;
            };
        assertSame(
            failure,
            assertThrows(
                IllegalStateException.class, () -> Poller.open(PollerConfig.defaults(), driver)));
        assertEquals(List.of(failure), log.thrown());
      }
      next[1] = fds.eventfd(0);
      assertTrue(kept.get().isOver());
      assertFalse(kept.get().run());
      assertFalse(kept.get().arm(new RecordingWaiter()));
      for (int fd : next) {
        Fds.add(fd, 1);
        assertEquals(8, Fds.drain(fd), "nobody closes the next owner of a number");
        fds.close(fd);
      }
      assertEquals(watchedBefore + 1, watchedByShared());
    }
  }

  private static void armOrFail(PollerRounds rounds, Waiter waiter) {
    try {
      rounds.arm(waiter);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void oneThatCannotBeOpenedForWantOfDescriptorsLeavesNothing() {
    Map<Integer, String> before = KernelFds.openNow();
    for (int room = 0; room < 2; room++) {
      IOException e =
          FdLimit.whileRoomFor(
              room,
              () ->
                  assertThrows(
                      IOException.class,
                      () -> Poller.open(PollerConfig.defaults(), started -> {})));
      assertEquals("EMFILE", ((SyscallException) e).errnoName());
      KernelFds.assertNoneSince(before);
    }
  }

  @Test
  void aRoundThatFailsEndsThePollerAndTellsAll() throws Exception {
    FaultySyscalls kernel = new FaultySyscalls(Backend.syscalls());
    AtomicReference<PollerRounds> failing = new AtomicReference<>();
    try (CapturedLog log = CapturedLog.of(Poller.class);
        Poller broken =
            new Poller(PollerConfig.defaults(), kernel.syscalls(), true, failing::set)) {
      RecordingWaiter reader = new RecordingWaiter();
      broken.register(fds.eventfd(0)).arm(Interest.READABLE, reader);
      kernel.fail("epollWait", Errno.EBADF);
      assertFalse(failing.get().run());
      assertTrue(failing.get().isOver());
      assertTrue(reader.failure(IOException.class).getCause() instanceof SyscallException);
      assertEquals(Poller.State.FAILED, broken.snapshot().state());
      assertEquals(1, log.thrown().size());
    }
    assertEquals(watchedBefore + 1, watchedByShared());
  }

  @Test
  void anInterruptThatATaskLeavesBehindIsNothingToAVirtualThreadThatDrives() throws Exception {
    VThreads.assume();
    try (Poller virtual = Poller.open(PollerConfig.defaults(), PollerDriver.virtualThread())) {
      Registration registration = virtual.register(fds.eventfd(0));
      for (int i = 0; i < 100; i++) {
        virtual.execute(() -> Thread.currentThread().interrupt());
        RecordingWaiter reader = new RecordingWaiter();
        registration.arm(Interest.READABLE, reader);
        Fds.add(registration.fd(), 1);
        reader.readiness();
        Fds.drain(registration.fd());
      }
      assertEquals(Poller.State.OPEN, virtual.snapshot().state());
    }
  }

  @Test
  @EnabledForJreRange(maxVersion = 20)
  void beforeJdk21ThereIsNoDriverOnAVirtualThread() {
    assertThrows(UnsupportedOperationException.class, PollerDriver::virtualThread);
  }

  @Test
  void whereVirtualThreadsAreAPreviewThereIsNoDriverEither() {
    for (String jdk : List.of("19.0.2", "20")) {
      UnsupportedOperationException e =
          assertThrows(
              UnsupportedOperationException.class,
              () -> VirtualThreadDriver.find(Runtime.Version.parse(jdk)));
      assertTrue(e.getMessage().contains(jdk), e::getMessage);
    }
  }
}
