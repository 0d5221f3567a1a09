package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Awaits by the bare number of an fd. */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class SharedAwaitTest {
  @Parameter private PollerKind kind;
  private final Fds fds = new Fds();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open();
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  private RecordingWaiter arm(int fd) throws Exception {
    RecordingWaiter waiter = new RecordingWaiter();
    poller.arm(fd, Interest.READABLE, waiter);
    return waiter;
  }

  private void assertNothingWatched() throws Exception {
    assertTrue(poller.snapshot().registrations().isEmpty());
    assertEquals(1, KernelTable.read(poller.snapshot().epollFd()).size(), "the wakeup alone");
  }

  @Test
  void tenThousandAwaitsShareOneRegistrationThatGoesWithTheLast() throws Exception {
    int eventfd = fds.eventfd(0);
    List<RecordingWaiter> waiters = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      waiters.add(arm(eventfd));
    }
    assertEquals(1, poller.snapshot().registrations().size());
    Fds.add(eventfd, 1);
    for (RecordingWaiter waiter : waiters) {
      assertTrue(waiter.readiness().isReadable());
    }
    assertNothingWatched();
    assertEquals(10_000, poller.stats().resumes());
  }

  @Test
  void theRegistrationIsGoneWhenTheLastWaiterIsTold() throws Exception {
    int eventfd = fds.eventfd(1);
    RecordingWaiter waiter = new RecordingWaiter(() -> poller.register(eventfd).close());
    poller.arm(eventfd, Interest.READABLE, waiter);
    assertTrue(waiter.readiness().isReadable());
    assertNothingWatched();
  }

  @Test
  void theRegistrationGoesWithTheLastThatIsCancelled() throws Exception {
    int eventfd = fds.eventfd(0);
    RecordingWaiter one = new RecordingWaiter();
    RecordingWaiter two = new RecordingWaiter();
    Cancellable first = poller.arm(eventfd, Interest.READABLE, one);
    Cancellable second = poller.arm(eventfd, Interest.WRITABLE.or(Interest.PRIORITY), two);
    assertTrue(two.readiness().isWritable());
    assertFalse(second.cancel());
    assertEquals(1, poller.snapshot().registrations().size());
    assertTrue(first.cancel());
    assertFalse(first.cancel());
    assertNothingWatched();
    assertFalse(one.isTold());
  }

  @Test
  @Conformance({299, 16})
  void anAwaitByNumberJoinsTheRegistrationThatThereIs() throws Exception {
    int eventfd = fds.eventfd(0);
    Registration registration = poller.register(eventfd);
    RecordingWaiter joined = arm(eventfd);
    RecordingWaiter cancelled = new RecordingWaiter();
    assertTrue(poller.arm(eventfd, Interest.READABLE, cancelled).cancel());
    assertEquals(1, poller.snapshot().registrations().get(0).waiters());
    Fds.add(eventfd, 1);
    assertTrue(joined.readiness().isReadable());
    assertFalse(registration.isClosed());
    assertFalse(cancelled.isTold());
    RecordingWaiter last = arm(fds.eventfd(0));
    registration.close();
    assertFalse(last.isTold());
  }

  @Test
  void aRegistrationOfANumberThatIsAwaitedIsRefusedAndHarmsNobody() throws Exception {
    int eventfd = fds.eventfd(0);
    RecordingWaiter waiter = arm(eventfd);
    assertEquals(
        "EEXIST", assertThrows(SyscallException.class, () -> poller.register(eventfd)).errnoName());
    Fds.add(eventfd, 1);
    assertTrue(waiter.readiness().isReadable());
    poller.register(eventfd).close();
  }

  @Test
  void cancellingAnAwaitThatHasEndedDoesNotTouchTheNextOneOfTheSameWaiter() throws Exception {
    int eventfd = fds.eventfd(1);
    try (Registration registration = poller.register(eventfd)) {
      RecordingWaiter waiter = new RecordingWaiter();
      Cancellable ended = poller.arm(eventfd, Interest.READABLE, waiter);
      waiter.readiness();
      Fds.drain(eventfd);
      Cancellable next = poller.arm(registration.fd(), Interest.READABLE, waiter);
      assertFalse(ended.cancel(), "the await that this stands for has ended");
      assertTrue(next.cancel());
    }
  }

  @Test
  @Conformance({341, 340})
  void anAwaitOfAReusedNumberIsServedThoughSomebodyStillAwaitsTheOldFile() throws Exception {
    Fds.Pair pipe = fds.pipe();
    RecordingWaiter orphan = new RecordingWaiter();
    Cancellable old = poller.arm(pipe.a(), Interest.READABLE, orphan);
    fds.close(pipe.a());
    int number = fds.eventfd(1);
    assertEquals(pipe.a(), number);
    RecordingWaiter next = arm(number);
    assertTrue(next.readiness().isReadable());
    assertTrue(old.cancel() || orphan.isTold());
  }

  @Test
  @Conformance({341, 340})
  void anAwaitOfAnotherDirectionOfAReusedNumberFailsTheOldOneAndIsServed() throws Exception {
    Fds.Pair pipe = fds.pipe();
    RecordingWaiter orphan = arm(pipe.a());
    fds.close(pipe.a());
    int number = fds.eventfd(0);
    RecordingWaiter next = new RecordingWaiter();
    poller.arm(number, Interest.WRITABLE, next);
    assertTrue(next.readiness().isWritable());
    assertEquals("ENOENT", orphan.failure(SyscallException.class).errnoName());
    assertNothingWatched();
  }

  @Test
  @Conformance({341})
  void whoFailsBecauseItsNumberWasReusedMayAwaitTheNumberAgainAtOnce() throws Exception {
    Fds.Pair pipe = fds.pipe();
    RecordingWaiter again = new RecordingWaiter();
    RecordingWaiter orphan =
        new RecordingWaiter(() -> poller.arm(pipe.a(), Interest.WRITABLE, again));
    poller.arm(pipe.a(), Interest.READABLE, orphan);
    fds.close(pipe.a());
    int number = fds.eventfd(0);
    assertEquals(pipe.a(), number);
    RecordingWaiter next = new RecordingWaiter();
    poller.arm(number, Interest.WRITABLE, next);
    assertTrue(next.readiness().isWritable());
    orphan.failure(SyscallException.class);
    assertTrue(again.readiness().isWritable());
    assertNothingWatched();
  }

  @Test
  @Conformance({310})
  void noLockIsHeldWhileTheOldOwnersOfANumberAreTold() throws Exception {
    Fds.Pair pipe = fds.pipe();
    int elsewhere = fds.eventfd(1);
    Registration old = poller.register(pipe.a());
    RecordingWaiter orphan =
        new RecordingWaiter(
            () ->
                CompletableFuture.runAsync(() -> awaitOnAnotherThread(elsewhere))
                    .orTimeout(5, TimeUnit.SECONDS)
                    .join());
    old.arm(Interest.READABLE, orphan);
    fds.close(pipe.a());
    int number = fds.eventfd(1);
    assertEquals(pipe.a(), number);
    try (dev.epoll.testing.CapturedLog log = dev.epoll.testing.CapturedLog.of(Poller.class)) {
      assertTrue(arm(number).readiness().isReadable());
      orphan.failure(ClosedRegistrationException.class);
      assertEquals(List.of(), log.thrown());
    }
  }

  private void awaitOnAnotherThread(int fd) {
    try {
      arm(fd);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anAwaitThatRacesWithTheEndOfARegistrationIsServed() throws Exception {
    int eventfd = fds.eventfd(0);
    AtomicReference<Throwable> refused = new AtomicReference<>();
    int rounds = 20_000;
    Thread registering =
        new Thread(
            () -> {
              for (int i = 0; i < rounds; i++) {
                try {
                  poller.register(eventfd).close();
                } catch (SyscallException awaited) {
                  assertEquals("EEXIST", awaited.errnoName());
                } catch (java.io.IOException e) {
                  refused.set(e);
                }
              }
            });
    registering.start();
    while (registering.isAlive() && refused.get() == null) {
      try {
        poller.arm(eventfd, Interest.READABLE, new IgnoringWaiter()).cancel();
      } catch (SyscallException e) {
        refused.set(e);
      }
    }
    registering.join();
    assertEquals(null, refused.get());
    assertNothingWatched();
  }

  /** Its await may end with the registration that it joined. */
  private static final class IgnoringWaiter implements Waiter {
    @Override
    public void ready(Readiness readiness) {}

    @Override
    public void failed(java.io.IOException cause) {}
  }

  @Test
  void awaitsOfOneNumberByManyThreadsAllEndAndLeaveNothing() throws Exception {
    int eventfd = fds.eventfd(1);
    List<Thread> threads = new ArrayList<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    for (int i = 0; i < 4; i++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  for (int round = 0; round < 2000; round++) {
                    RecordingWaiter waiter = new RecordingWaiter();
                    if (!poller.arm(eventfd, Interest.READABLE, waiter).cancel()) {
                      waiter.readiness();
                    }
                  }
                } catch (Throwable e) {
                  failure.set(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(null, failure.get());
    Rounds.pass(poller);
    assertNothingWatched();
    PollerStats stats = poller.stats();
    assertEquals(stats.arms(), stats.resumes() + stats.cancels() + stats.failures());
  }
}
