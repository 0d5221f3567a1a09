package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.CapturedLog;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What waiters do while they are told, and what that does to others. */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class WaiterConductTest {
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

  private Registration ready() throws Exception {
    return poller.register(fds.eventfd(1));
  }

  @Test
  @Conformance({311})
  void aWaiterThatThrowsIsLoggedAndHarmsNobodyElse() throws Exception {
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      Registration one = poller.register(fds.eventfd(0));
      Registration other = poller.register(fds.eventfd(0));
      IllegalStateException thrown = new IllegalStateException("a waiter that throws");
      RecordingWaiter thrower =
          new RecordingWaiter(
              () -> {
                throw thrown;
              });
      RecordingWaiter next = new RecordingWaiter();
      RecordingWaiter inSameBatch = new RecordingWaiter();
      one.arm(Interest.READABLE, thrower);
      one.arm(Interest.READABLE, next);
      other.arm(Interest.READABLE, inSameBatch);
      Rounds.inPoller(
          poller,
          () -> {
            Fds.add(one.fd(), 1);
            Fds.add(other.fd(), 1);
          });
      assertTrue(next.readiness().isReadable());
      assertTrue(inSameBatch.readiness().isReadable());
      Rounds.pass(poller);
      assertEquals(List.of(thrown), log.thrown());
      assertEquals(Poller.State.OPEN, poller.snapshot().state());
    }
  }

  @Test
  void aWaiterThatThrowsWhenItFailsIsLoggedAndTheOthersFailToo() throws Exception {
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      Registration registration = poller.register(fds.eventfd(0));
      AssertionError thrown = new AssertionError("a waiter that throws an Error");
      registration.arm(
          Interest.READABLE,
          new RecordingWaiter(
              () -> {
                throw thrown;
              }));
      RecordingWaiter next = new RecordingWaiter();
      registration.arm(Interest.READABLE, next);
      registration.close();
      next.failure(ClosedRegistrationException.class);
      assertEquals(List.of(thrown), log.thrown());
    }
  }

  @Test
  void aLogHandlerThatThrowsHarmsNoWaiterEither() throws Exception {
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      log.throwAtEach();
      Registration registration = poller.register(fds.eventfd(0));
      registration.arm(
          Interest.READABLE,
          new RecordingWaiter(
              () -> {
                throw new IllegalStateException("a waiter that throws");
              }));
      RecordingWaiter next = new RecordingWaiter();
      registration.arm(Interest.READABLE, next);
      Fds.add(registration.fd(), 1);
      assertTrue(next.readiness().isReadable());
      Rounds.pass(poller);
      assertEquals(Poller.State.OPEN, poller.snapshot().state());
    }
  }

  @Test
  @Conformance({310})
  void aWaiterMayCloseItsOwnRegistrationAndItsFd() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    RecordingWaiter closer =
        new RecordingWaiter(
            () -> {
              registration.close();
              fds.close(registration.fd());
            });
    RecordingWaiter writerToo = new RecordingWaiter();
    registration.arm(Interest.READABLE, closer);
    registration.arm(Interest.PRIORITY, writerToo);
    Fds.add(registration.fd(), 1);
    assertTrue(closer.readiness().isReadable());
    writerToo.failure(ClosedRegistrationException.class);
    assertTrue(poller.snapshot().registrations().isEmpty());
  }

  @Test
  @Conformance({310, 337})
  void aWaiterMayCloseAnotherRegistrationWhoseEventIsInTheSameBatch() throws Exception {
    Registration one = poller.register(fds.eventfd(0));
    Registration two = poller.register(fds.eventfd(0));
    RecordingWaiter first = new RecordingWaiter(two::close);
    RecordingWaiter second = new RecordingWaiter(one::close);
    one.arm(Interest.READABLE, first);
    two.arm(Interest.READABLE, second);
    Rounds.inPoller(
        poller,
        () -> {
          Fds.add(one.fd(), 1);
          Fds.add(two.fd(), 1);
        });
    Rounds.pass(poller);
    assertTrue(first.readiness().isReadable());
    second.failure(ClosedRegistrationException.class);
    assertEquals(1, poller.stats().staleEvents());
  }

  @Test
  @Conformance({337})
  void aWaiterMayCancelAnotherWhoseEventIsInTheSameBatch() throws Exception {
    Registration one = poller.register(fds.eventfd(0));
    Registration two = poller.register(fds.eventfd(0));
    RecordingWaiter second = new RecordingWaiter();
    RecordingWaiter first = new RecordingWaiter(() -> assertTrue(two.cancel(second)));
    one.arm(Interest.READABLE, first);
    two.arm(Interest.READABLE, second);
    Rounds.inPoller(
        poller,
        () -> {
          Fds.add(one.fd(), 1);
          Fds.add(two.fd(), 1);
        });
    assertTrue(first.readiness().isReadable());
    Rounds.assertSilent(poller, second);
    RecordingWaiter again = new RecordingWaiter();
    two.arm(Interest.READABLE, again);
    assertTrue(again.readiness().isReadable());
  }

  @Test
  void aWaiterMayAwaitAgainWhileItIsTold() throws Exception {
    Registration registration = ready();
    CompletableFuture<Integer> done = new CompletableFuture<>();
    registration.arm(
        Interest.READABLE,
        new Waiter() {
          private int times;

          @Override
          public void ready(Readiness readiness) {
            if (++times == 1000) {
              done.complete(times);
              return;
            }
            try {
              registration.arm(Interest.READABLE, this);
            } catch (java.io.IOException e) {
              done.completeExceptionally(e);
            }
          }

          @Override
          public void failed(java.io.IOException cause) {
            done.completeExceptionally(cause);
          }
        });
    assertEquals(1000, done.get(30, TimeUnit.SECONDS));
    assertEquals(1001, poller.stats().epollControls());
  }

  @Test
  @Conformance({310})
  void noLockIsHeldWhileAWaiterIsTold() throws Exception {
    Registration registration = ready();
    RecordingWaiter waiter = new RecordingWaiter(() -> usableFromAnotherThread(registration));
    registration.arm(Interest.READABLE, waiter);
    assertTrue(waiter.readiness().isReadable());
    RecordingWaiter failing = new RecordingWaiter(() -> usableFromAnotherThread(registration));
    Registration other = poller.register(fds.eventfd(0));
    other.arm(Interest.READABLE, failing);
    other.close();
    failing.failure(ClosedRegistrationException.class);
    assertEquals(List.of(), blocked);
  }

  /** What kept another thread from using the poller; thrown by a waiter it would only be logged. */
  private final List<Throwable> blocked = new CopyOnWriteArrayList<>();

  /** Every lock of the poller is taken and let go of by another thread. */
  private void usableFromAnotherThread(Registration registration) {
    CompletableFuture<Void> other =
        CompletableFuture.runAsync(
            () -> {
              try {
                RecordingWaiter waiter = new RecordingWaiter();
                registration.arm(Interest.PRIORITY, waiter);
                registration.cancel(waiter);
                poller.arm(registration.fd(), Interest.PRIORITY, waiter).cancel();
                int fd = fds.eventfd(0);
                poller.arm(fd, Interest.READABLE, waiter).cancel();
                poller.register(fd).close();
                poller.schedule(java.time.Duration.ofHours(1), () -> {}).cancel();
                poller.snapshot();
              } catch (java.io.IOException e) {
                throw new AssertionError(e);
              }
            });
    try {
      other.orTimeout(20, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      blocked.add(e);
    }
  }
}
