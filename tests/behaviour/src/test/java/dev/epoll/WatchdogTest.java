package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.CapturedLog;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who keeps the poller thread too long is logged, once each time. */
class WatchdogTest {
  private static final Duration LIMIT = Duration.ofMillis(500);

  @Test
  void whatStallsThePollerThreadIsLoggedOnceEachTimeWithItsStack() throws Exception {
    PollerConfig config = PollerConfig.defaults().withStallLimit(LIMIT).withThreadName("watched");
    try (CapturedLog log = CapturedLog.of(Poller.class);
        Fds fds = new Fds();
        Poller poller = Poller.open(config)) {
      Registration registration = poller.register(fds.eventfd(1));
      for (int stall = 1; stall <= 3; stall++) {
        int logged = stall;
        CountDownLatch isLogged = new CountDownLatch(1);
        RecordingWaiter staller = new RecordingWaiter();
        registration.arm(
            Interest.READABLE,
            new Waiter() {
              @Override
              public void ready(Readiness readiness) {
                stallUntil(isLogged);
                staller.ready(readiness);
              }

              @Override
              public void failed(IOException cause) {
                staller.failed(cause);
              }
            });
        Eventually.until("the stall is logged", () -> log.thrown().size() == logged);
        // It is looked for again and again.
        Thread.sleep(LIMIT.toMillis());
        isLogged.countDown();
        assertTrue(staller.readiness().isReadable());
        assertEquals(stall, log.thrown().size());
        StackTraceElement[] stack = log.thrown().get(stall - 1).getStackTrace();
        assertTrue(
            Arrays.stream(stack).anyMatch(frame -> frame.getMethodName().equals("stallUntil")));
      }
    }
  }

  @Test
  void whatStallsTheEndIsLoggedToo() throws Exception {
    PollerConfig config = PollerConfig.defaults().withStallLimit(LIMIT).withThreadName("ending");
    try (CapturedLog log = CapturedLog.of(Poller.class);
        Fds fds = new Fds();
        Poller poller = Poller.open(config)) {
      CountDownLatch isLogged = new CountDownLatch(1);
      RecordingWaiter staller = new RecordingWaiter(() -> stallUntil(isLogged));
      poller.register(fds.eventfd(0)).arm(Interest.READABLE, staller);
      poller.beginClose();
      Eventually.until("the stall is logged", () -> log.thrown().size() == 1);
      isLogged.countDown();
      staller.failure(ClosedPollerException.class);
    }
  }

  @Test
  void aPollerGetsOnWithEachEventTimerAndTaskAndWithEachWhoIsToldOfTheEnd() throws Exception {
    List<Long> seen = new CopyOnWriteArrayList<>();
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      RecordingWaiter.Reaction look = () -> seen.add(poller.progress());
      RecordingWaiter event = new RecordingWaiter(look);
      RecordingWaiter timer = new RecordingWaiter(look);
      RecordingWaiter task = new RecordingWaiter(look);
      poller.register(fds.eventfd(1)).arm(Interest.READABLE, event);
      event.readiness();
      poller.schedule(Duration.ofNanos(1), timer);
      timer.readiness();
      poller.execute(
          () -> {
            seen.add(poller.progress());
            poller.execute(() -> task.ready(Readiness.NONE));
          });
      task.readiness();
      Eventually.until("it sleeps", () -> poller.progress() == Watchdog.ASLEEP);
      Registration silent = poller.register(fds.eventfd(0));
      silent.arm(Interest.READABLE, new RecordingWaiter(look));
      silent.arm(Interest.READABLE, new RecordingWaiter(look));
    }
    assertEquals(6, Set.copyOf(seen).size(), seen::toString);
    assertTrue(!seen.contains(Watchdog.ASLEEP), seen::toString);
  }

  private static void stallUntil(CountDownLatch over) {
    try {
      over.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whoeverGetsOnOrSleepsIsNotLogged() throws Exception {
    AtomicLong progress = new AtomicLong();
    AtomicInteger looks = new AtomicInteger();
    // Each look finds it asleep, or a step further, however long it is until the next.
    Watchdog watchdog =
        new Watchdog(
            Thread.currentThread(),
            Duration.ofNanos(1),
            () -> looks.incrementAndGet() % 3 == 0 ? Watchdog.ASLEEP : progress.incrementAndGet());
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      watchdog.start();
      Eventually.until("it has looked often", () -> looks.get() > 50);
      assertEquals(List.of(), log.thrown());
    } finally {
      watchdog.end();
    }
  }

  @Test
  void itsThreadEndsWithThePollerHoweverLongTheLimit() throws Exception {
    PollerConfig config =
        PollerConfig.defaults().withStallLimit(Duration.ofDays(1)).withThreadName("short");
    Poller.open(config).close();
    Eventually.until("the watchdog has ended", () -> !threads().contains("short-watchdog"));
  }

  @Test
  void withoutALimitNobodyWatches() throws Exception {
    try (Poller poller = Poller.open(PollerConfig.defaults().withThreadName("free"))) {
      assertTrue(threads().contains("free"), poller::toString);
      assertTrue(!threads().contains("free-watchdog"), poller::toString);
    }
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1})
  void aLimitThatIsNoneIsRefused(long millis) {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> PollerConfig.defaults().withStallLimit(Duration.ofMillis(millis)));
    assertTrue(e.getMessage().contains("stallLimit"), e::getMessage);
  }
}
