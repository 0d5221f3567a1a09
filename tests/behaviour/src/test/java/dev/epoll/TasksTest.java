package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.CapturedLog;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Tasks for the poller thread, and the wakeups that they need. */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class TasksTest {
  private static final String THREAD = "tasks-test";

  @Parameter private PollerKind kind;
  private final Fds fds = new Fds();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open(PollerConfig.defaults().withThreadName(THREAD).withTasksPerRound(16));
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  @Test
  @Conformance({263})
  void tasksRunInTheirOrderOnThePollerThread() throws Exception {
    List<Integer> ran = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      int number = i;
      poller.execute(() -> ran.add(poller.inPollerThread() ? number : -1));
    }
    CountDownLatch last = new CountDownLatch(1);
    poller.execute(last::countDown);
    assertTrue(last.await(30, TimeUnit.SECONDS));
    assertEquals(IntStream.range(0, 1000).boxed().toList(), ran);
    assertFalse(poller.inPollerThread());
  }

  @Test
  @Conformance({263, 311})
  void aTaskThatThrowsIsLoggedAndTheNextOnesRun() throws Exception {
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      AssertionError thrown = new AssertionError("a task that throws");
      poller.execute(
          () -> {
            throw thrown;
          });
      Rounds.inPoller(poller, () -> {});
      assertEquals(List.of(thrown), log.thrown());
      assertEquals(Poller.State.OPEN, poller.snapshot().state());
    }
  }

  @Test
  @Conformance({263})
  void aTaskThatPostsItselfAgainStarvesNeitherEventsNorTimers() throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    boolean[] stop = {false};
    poller.execute(
        new Runnable() {
          @Override
          public void run() {
            if (stop[0]) {
              stopped.countDown();
            } else {
              poller.execute(this);
            }
          }
        });
    try (Registration registration = poller.register(fds.eventfd(1))) {
      for (int i = 0; i < 100; i++) {
        assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
        RecordingWaiter timer = new RecordingWaiter();
        poller.schedule(java.time.Duration.ZERO, timer);
        assertTrue(timer.readiness().isNone());
      }
    }
    poller.execute(() -> stop[0] = true);
    assertTrue(stopped.await(30, TimeUnit.SECONDS));
  }

  @Test
  @Conformance({254, 347})
  void aSleepingPollerIsWokenByOneWritePerSleepAtMost() throws Exception {
    for (int i = 1; i <= 100; i++) {
      kind.asleep(THREAD);
      Rounds.inPoller(poller, () -> {});
      assertTrue(poller.stats().wakeups() <= i);
    }
    assertTrue(poller.stats().wakeups() > 0);
    assertEquals(0, poller.stats().events());
  }

  @Test
  @Conformance({256, 257})
  void manyTasksForABusyPollerCostOneWakeup() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch busy = new CountDownLatch(1);
    poller.execute(
        () -> {
          busy.countDown();
          Eventually.until("all are posted", () -> release.getCount() == 0);
        });
    assertTrue(busy.await(30, TimeUnit.SECONDS));
    long wakeups = poller.stats().wakeups();
    AtomicInteger ran = new AtomicInteger();
    for (int i = 0; i < 1000; i++) {
      poller.execute(ran::incrementAndGet);
    }
    release.countDown();
    Rounds.inPoller(poller, () -> {});
    assertEquals(1000, ran.get());
    assertTrue(poller.stats().wakeups() - wakeups <= 1);
  }

  @Test
  void nothingIsWrittenFromThePollerThreadItself() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    AtomicInteger hops = new AtomicInteger();
    Runnable hop =
        new Runnable() {
          @Override
          public void run() {
            if (hops.incrementAndGet() == 10_000) {
              done.countDown();
            } else {
              poller.execute(this);
            }
          }
        };
    poller.execute(hop);
    assertTrue(done.await(30, TimeUnit.SECONDS));
    assertTrue(poller.stats().wakeups() <= 1);
  }

  @Test
  void aSleepingPollerDoesNotSpin() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration quiet = poller.register(pipe.a());
    Fds.Pair hungUp = fds.pipe();
    poller.register(hungUp.a());
    RecordingWaiter waiter = new RecordingWaiter();
    quiet.arm(Interest.READABLE, waiter);
    fds.close(hungUp.b());
    Rounds.pass(poller);
    kind.asleep(THREAD);
    long waits = poller.stats().waits();
    Thread.sleep(100);
    assertTrue(poller.stats().waits() - waits <= 1, "spins");
    Fds.write(pipe.b(), 1);
    assertTrue(waiter.readiness().isReadable());
  }

  @Test
  @Conformance({259})
  void aWakeupThatFillsABatchOfOneHidesNoEvent() throws Exception {
    try (Poller narrow = kind.open(PollerConfig.defaults().withBatchSize(1, 1))) {
      Registration one = narrow.register(fds.eventfd(0));
      Registration two = narrow.register(fds.eventfd(0));
      for (int i = 0; i < 200; i++) {
        RecordingWaiter first = new RecordingWaiter();
        RecordingWaiter second = new RecordingWaiter();
        one.arm(Interest.READABLE, first);
        two.arm(Interest.READABLE, second);
        narrow.execute(() -> {});
        Fds.add(one.fd(), 1);
        Fds.add(two.fd(), 1);
        assertTrue(first.readiness().isReadable());
        assertTrue(second.readiness().isReadable());
        Fds.drain(one.fd());
        Fds.drain(two.fd());
      }
    }
  }

  @Test
  void tasksFromManyThreadsAllRun() throws Exception {
    AtomicInteger ran = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread thread =
          new Thread(
              () -> IntStream.range(0, 25_000).forEach(n -> poller.execute(ran::incrementAndGet)));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    Eventually.until("all have run", () -> ran.get() == 100_000);
  }
}
