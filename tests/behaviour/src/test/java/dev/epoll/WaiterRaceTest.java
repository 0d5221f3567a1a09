package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Exactly one outcome per await, whoever races with whom. */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class WaiterRaceTest {
  @Parameter private PollerKind kind;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Fds fds = new Fds();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open();
  }

  @AfterEach
  void close() {
    poller.close();
    threads.shutdownNow();
    fds.close();
  }

  /** An await with a count of each outcome, of which one must come, once. */
  private static final class Counted implements Waiter {
    final AtomicInteger ready = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();
    volatile boolean cancelled;

    @Override
    public void ready(Readiness readiness) {
      ready.incrementAndGet();
    }

    @Override
    public void failed(IOException cause) {
      failed.incrementAndGet();
    }

    int outcomes() {
      return ready.get() + failed.get() + (cancelled ? 1 : 0);
    }
  }

  private interface Step {
    void run() throws Exception;
  }

  /** Runs the steps at the same time, and returns when all are done. */
  private void race(Step... steps) throws Exception {
    CyclicBarrier start = new CyclicBarrier(steps.length);
    List<Future<?>> running = new ArrayList<>();
    for (Step step : steps) {
      running.add(
          threads.submit(
              () -> {
                start.await();
                step.run();
                return null;
              }));
    }
    for (Future<?> future : running) {
      future.get(30, TimeUnit.SECONDS);
    }
  }

  private void assertOneOutcome(Counted waiter) {
    if (waiter.outcomes() == 0) {
      Eventually.until("the await ends", () -> waiter.outcomes() > 0);
    }
    assertEquals(1, waiter.outcomes());
  }

  private void assertCountersBalance(int waiting) throws Exception {
    Rounds.pass(poller);
    PollerStats stats = poller.stats();
    assertEquals(
        stats.arms(),
        stats.resumes() + stats.cancels() + stats.failures() + waiting,
        stats::toString);
  }

  @Test
  @Conformance({328})
  void anAwaitThatIsCancelledAsItsEventComesHasOneOutcomeAndLosesNoReadiness() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    int cancelled = 0;
    for (int round = 0; round < 10_000; round++) {
      Counted waiter = new Counted();
      registration.arm(Interest.READABLE, waiter);
      Fds.write(pipe.b(), 1);
      for (int i = round % 50; i > 0; i--) {
        Thread.onSpinWait();
      }
      waiter.cancelled = registration.cancel(waiter);
      assertOneOutcome(waiter);
      cancelled += waiter.cancelled ? 1 : 0;
      RecordingWaiter again = new RecordingWaiter();
      registration.arm(Interest.READABLE, again);
      assertTrue(again.readiness().isReadable());
      assertEquals(1, waiter.outcomes());
      Fds.drain(pipe.a());
    }
    assertTrue(cancelled > 0, "the cancel never came first");
    assertCountersBalance(0);
  }

  @Test
  @Conformance({328})
  void cancelEventAndCloseFromSeveralThreadsGiveOneOutcomeEach() throws Exception {
    for (int round = 0; round < 3000; round++) {
      int eventfd = fds.eventfd(0);
      Registration registration = poller.register(eventfd);
      Counted one = new Counted();
      Counted two = new Counted();
      registration.arm(Interest.READABLE, one);
      registration.arm(Interest.READABLE.or(Interest.PRIORITY), two);
      race(
          () -> Fds.add(eventfd, 1),
          () -> one.cancelled = registration.cancel(one),
          () -> two.cancelled = registration.cancel(two),
          registration::close);
      assertOneOutcome(one);
      assertOneOutcome(two);
      fds.close(eventfd);
    }
    assertCountersBalance(0);
    assertTrue(poller.snapshot().registrations().isEmpty());
  }

  @Test
  @Conformance({233})
  void armingAgainstCloseEitherWaitsAndFailsOrIsRefused() throws Exception {
    int eventfd = fds.eventfd(0);
    for (int round = 0; round < 3000; round++) {
      Registration registration = poller.register(eventfd);
      Counted waiter = new Counted();
      AtomicReference<IOException> refused = new AtomicReference<>();
      race(
          () -> {
            try {
              registration.arm(Interest.READABLE, waiter);
            } catch (ClosedRegistrationException e) {
              refused.set(e);
            }
          },
          registration::close);
      assertEquals(1, waiter.outcomes() + (refused.get() == null ? 0 : 1));
    }
    assertCountersBalance(0);
  }

  @Test
  @Conformance({313})
  void noWakeupIsLostInATokenPingPongOverTwoPipes() throws Exception {
    Fds.Pair there = fds.pipe();
    Fds.Pair back = fds.pipe();
    int rounds = 5_000;
    try (Registration a = poller.register(there.a());
        Registration b = poller.register(back.a())) {
      race(
          () -> {
            for (int i = 0; i < rounds; i++) {
              a.blockUntil(Interest.READABLE);
              assertEquals(1, Fds.drain(there.a()));
              Fds.write(back.b(), 1);
            }
          },
          () -> {
            for (int i = 0; i < rounds; i++) {
              Fds.write(there.b(), 1);
              b.blockUntil(Interest.READABLE);
              assertEquals(1, Fds.drain(back.a()));
            }
          });
    }
    assertCountersBalance(0);
  }

  @Test
  @Conformance({247, 244})
  void noChangeOfWhatIsAwaitedIsLostWhileThePollerIsBusyOrAsleep() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    for (int round = 0; round < 5_000; round++) {
      Registration registration = poller.register(sockets.a());
      Counted reader = new Counted();
      registration.arm(Interest.READABLE, reader);
      RecordingWaiter writer = new RecordingWaiter();
      registration.arm(Interest.WRITABLE, writer);
      assertTrue(writer.readiness().isWritable());
      registration.close();
      assertOneOutcome(reader);
    }
    assertCountersBalance(0);
  }

  @Test
  @Conformance({233})
  void registerAndArmAgainstPollerCloseSucceedOrSayClosed() throws Exception {
    int eventfd = fds.eventfd(0);
    for (int round = 0; round < 150; round++) {
      Poller closing = kind.open();
      Counted waiter = new Counted();
      AtomicReference<IOException> refused = new AtomicReference<>();
      race(
          () -> {
            try {
              closing.register(eventfd).arm(Interest.READABLE, waiter);
            } catch (ClosedPollerException e) {
              refused.set(e);
            }
          },
          () -> {
            try {
              closing.execute(() -> {});
            } catch (java.util.concurrent.RejectedExecutionException e) {
              assertTrue(e.getCause() instanceof ClosedPollerException);
            }
          },
          closing::close,
          closing::close);
      assertEquals(1, waiter.outcomes() + (refused.get() == null ? 0 : 1));
    }
  }

  @Test
  void noTaskTimerOrAwaitIsLostAsThePollerFallsAsleep() throws Exception {
    Step[] steps = new Step[3];
    for (int i = 0; i < steps.length; i++) {
      Registration ready = poller.register(fds.eventfd(1));
      Random random = new Random(i);
      steps[i] =
          () -> {
            for (int round = 0; round < 3000; round++) {
              RecordingWaiter waiter = new RecordingWaiter();
              switch (random.nextInt(3)) {
                case 0 -> poller.execute(() -> waiter.ready(Readiness.NONE));
                case 1 -> poller.schedule(Duration.ofNanos(random.nextInt(100_000)), waiter);
                default -> ready.arm(Interest.READABLE, waiter);
              }
              waiter.readiness();
              // About as long as it takes to fall asleep.
              long pause = random.nextInt(20_000);
              for (long start = System.nanoTime(); System.nanoTime() - start < pause; ) {
                Thread.onSpinWait();
              }
            }
          };
    }
    race(steps);
  }
}
