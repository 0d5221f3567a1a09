package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.PollerKind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class PollerCloseTest {
  @Parameter private PollerKind kind;
  private final Fds fds = new Fds();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open(PollerConfig.defaults().withThreadName("close-test"));
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  @Test
  @Conformance({338})
  void closingARegistrationFailsItsWaitersInBothDirections() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = new RecordingWaiter();
    RecordingWaiter writer = new RecordingWaiter();
    registration.arm(Interest.READABLE, reader);
    registration.arm(Interest.WRITABLE, writer);
    registration.close();
    registration.close();
    reader.failure(ClosedRegistrationException.class);
    writer.failure(ClosedRegistrationException.class);
    assertTrue(registration.isClosed());
    assertEquals(2, poller.stats().failures());
    Fds.write(sockets.b(), 1);
    assertEquals(1, Fds.drain(sockets.a()), "the fd stays open");
  }

  @Test
  @Conformance({301})
  void everyCallOnAClosedRegistrationFailsAtOnce() throws Exception {
    Registration registration = poller.register(fds.eventfd(1));
    registration.close();
    RecordingWaiter waiter = new RecordingWaiter();
    Class<ClosedRegistrationException> closed = ClosedRegistrationException.class;
    assertThrows(closed, () -> registration.arm(Interest.READABLE, waiter));
    assertThrows(closed, () -> registration.blockUntil(Interest.READABLE));
    assertThrows(closed, () -> registration.blockUntil(Interest.READABLE, Duration.ZERO));
    assertThrows(closed, () -> registration.blockUntil(Interest.READABLE, Duration.ofDays(1)));
    CompletionException failed =
        assertThrows(
            CompletionException.class, () -> registration.whenReady(Interest.READABLE).join());
    assertEquals(closed, failed.getCause().getClass());
    assertFalse(registration.cancel(waiter));
    assertFalse(waiter.isTold());
  }

  @Test
  @Conformance({343, 347})
  void closingThePollerEndsEveryAwait() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = new RecordingWaiter();
    RecordingWaiter writer = new RecordingWaiter();
    RecordingWaiter byNumber = new RecordingWaiter();
    RecordingWaiter byTime = new RecordingWaiter();
    registration.arm(Interest.READABLE, reader);
    registration.arm(Interest.WRITABLE, writer);
    poller.arm(fds.eventfd(0), Interest.READABLE, byNumber);
    poller.schedule(Duration.ofDays(1), byTime);
    AtomicReference<Object> blocked = new AtomicReference<>();
    Thread thread = new Thread(() -> blocked.set(outcomeOf(registration)));
    thread.start();
    Eventually.parked(thread);
    kind.asleep("close-test");
    poller.close();
    for (RecordingWaiter waiter : List.of(reader, writer, byNumber, byTime)) {
      waiter.failure(ClosedPollerException.class);
    }
    thread.join();
    assertEquals(ClosedPollerException.class, blocked.get().getClass());
    assertEquals(0, poller.snapshot().timers());
  }

  private static Object outcomeOf(Registration registration) {
    try {
      return registration.blockUntil(Interest.READABLE, Duration.ofDays(1));
    } catch (IOException | InterruptedException e) {
      return e;
    }
  }

  @Test
  @Conformance({344, 346})
  void everyCallOnAClosedPollerFailsAtOnce() throws Exception {
    Registration registration = poller.register(fds.eventfd(1));
    poller.close();
    Waiter waiter = new RecordingWaiter();
    Class<ClosedPollerException> closed = ClosedPollerException.class;
    assertThrows(closed, () -> poller.register(registration.fd()));
    assertThrows(closed, () -> poller.arm(registration.fd(), Interest.READABLE, waiter));
    assertThrows(closed, () -> poller.schedule(Duration.ZERO, waiter));
    assertThrows(closed, () -> registration.arm(Interest.READABLE, waiter));
    assertThrows(closed, () -> registration.blockUntil(Interest.READABLE));
    assertThrows(closed, () -> registration.blockUntil(Interest.READABLE, Duration.ZERO));
    RejectedExecutionException rejected =
        assertThrows(RejectedExecutionException.class, () -> poller.execute(() -> {}));
    assertEquals(closed, rejected.getCause().getClass());
    rejected =
        assertThrows(
            RejectedExecutionException.class, () -> poller.schedule(Duration.ZERO, () -> {}));
    assertEquals(closed, rejected.getCause().getClass());
    registration.close();
    assertTrue(registration.isClosed());
    assertEquals(Poller.State.CLOSED, poller.snapshot().state());
  }

  @Test
  @Conformance({260, 350})
  void closingClosesWhatThePollerOpenedAndNothingElse() throws Exception {
    Map<Integer, String> before = KernelFds.openNow();
    Poller other = kind.open();
    int eventfd = fds.eventfd(0);
    other.register(eventfd);
    other.close();
    fds.close(eventfd);
    KernelFds.assertNoneSince(before);
    int[] next = {fds.eventfd(0), fds.eventfd(0), fds.eventfd(0)};
    other.close();
    assertThrows(RejectedExecutionException.class, () -> other.execute(() -> {}));
    for (int fd : next) {
      assertEquals(0, Fds.drain(fd), "no wakeup is written to the next owner of the number");
    }
  }

  @Test
  void aWaiterMayCloseThePoller() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    RecordingWaiter closer = new RecordingWaiter(poller::close);
    RecordingWaiter other = new RecordingWaiter();
    registration.arm(Interest.READABLE, closer);
    registration.arm(Interest.PRIORITY, other);
    Fds.add(registration.fd(), 1);
    assertTrue(closer.readiness().isReadable());
    other.failure(ClosedPollerException.class);
    poller.close();
    assertThrows(ClosedPollerException.class, () -> poller.register(fds.eventfd(0)));
  }

  @Test
  @Conformance({344})
  void onceAWaiterHasClosedThePollerItsNextCallFailsAtOnce() throws Exception {
    Registration registration = poller.register(fds.eventfd(1));
    int eventfd = fds.eventfd(0);
    RecordingWaiter inVain = new RecordingWaiter();
    AtomicReference<Throwable> register = new AtomicReference<>();
    AtomicReference<Throwable> arm = new AtomicReference<>();
    registration.arm(
        Interest.READABLE,
        new RecordingWaiter(
            () -> {
              poller.close();
              register.set(thrownBy(() -> poller.register(eventfd)));
              arm.set(thrownBy(() -> registration.arm(Interest.PRIORITY, inVain)));
            }));
    awaitEnd();
    assertTrue(register.get() instanceof ClosedPollerException, () -> "register: " + register);
    assertTrue(arm.get() instanceof ClosedPollerException, () -> "arm: " + arm);
    assertFalse(inVain.isTold());
  }

  private static Throwable thrownBy(RecordingWaiter.Reaction call) {
    try {
      call.run();
      return null;
    } catch (Throwable e) {
      return e;
    }
  }

  /** Waits for the end of a poller that was closed on its own thread. */
  private void awaitEnd() {
    Eventually.until("closed", () -> poller.snapshot().state() == Poller.State.CLOSED);
    poller.close();
  }

  @Test
  void aTaskMayCloseThePollerAndThoseAcceptedStillRun() throws Exception {
    List<String> ran = new ArrayList<>();
    CountDownLatch posted = new CountDownLatch(1);
    poller.execute(() -> Eventually.until("all are posted", () -> posted.getCount() == 0));
    poller.execute(poller::close);
    poller.execute(() -> ran.add("after the close"));
    poller.execute(() -> poller.execute(() -> ran.add("posted by one of them")));
    posted.countDown();
    awaitEnd();
    assertEquals(List.of("after the close", "posted by one of them"), ran);
  }

  @Test
  void aTaskThatPostsItselfAgainDoesNotKeepThePollerFromClosing() {
    AtomicBoolean stop = new AtomicBoolean();
    Runnable again =
        new Runnable() {
          @Override
          public void run() {
            if (!stop.get()) {
              poller.execute(this);
            }
          }
        };
    poller.execute(again);
    try (dev.epoll.testing.CapturedLog log = dev.epoll.testing.CapturedLog.of(Poller.class)) {
      assertTimeoutPreemptively(Duration.ofSeconds(5), poller::close);
      assertTrue(log.thrown().size() <= 1);
    } finally {
      stop.set(true);
    }
  }

  @Test
  void severalThreadsMayCloseAtOnceAndAllReturnWhenItIsDone() throws Exception {
    for (int round = 0; round < 100; round++) {
      Poller closing = kind.open(PollerConfig.defaults().withThreadName("round-" + round));
      RecordingWaiter waiter = new RecordingWaiter();
      closing.schedule(Duration.ofDays(1), waiter);
      List<Thread> threads = new ArrayList<>();
      AtomicReference<String> early = new AtomicReference<>();
      for (int i = 0; i < 4; i++) {
        Thread thread =
            new Thread(
                () -> {
                  closing.close();
                  if (!waiter.isTold()) {
                    early.set("close returned before the awaits had ended");
                  }
                });
        thread.start();
        threads.add(thread);
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(null, early.get());
      waiter.failure(ClosedPollerException.class);
    }
  }

  @Test
  void anInterruptedThreadClosesAllTheSameAndStaysInterrupted() throws Exception {
    Thread.currentThread().interrupt();
    poller.close();
    assertTrue(Thread.interrupted());
    assertThrows(ClosedPollerException.class, () -> poller.register(fds.eventfd(0)));
  }

  @Test
  void theSharedPollerCannotBeClosed() throws Exception {
    Poller.shared().close();
    RecordingWaiter waiter = new RecordingWaiter();
    Poller.shared().arm(fds.eventfd(1), Interest.READABLE, waiter);
    assertTrue(waiter.readiness().isReadable());
    assertEquals(Poller.shared(), Poller.shared());
  }

  @Test
  void aWaiterMayCloseThePollerThatEndsIt() throws Exception {
    try (Fds fds = new Fds()) {
      Poller closing = kind.open();
      var told =
          closing
              .register(fds.eventfd(0))
              .whenReady(Interest.READABLE)
              .whenComplete((readiness, failure) -> closing.close());
      closing.close();
      assertThrows(java.util.concurrent.ExecutionException.class, told::get);
    }
  }
}
