package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class WhenReadyTest {
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

  private static Throwable causeOf(CompletableFuture<?> future) {
    return assertThrows(ExecutionException.class, () -> future.get(30, TimeUnit.SECONDS))
        .getCause();
  }

  @Test
  void theFutureCompletesWithTheReadinessOnThePollerThread() throws Exception {
    CompletableFuture<Readiness> future = registration.whenReady(Interest.READABLE);
    CompletableFuture<Boolean> where = future.thenApply(readiness -> poller.inPollerThread());
    assertFalse(future.isDone());
    Fds.add(registration.fd(), 1);
    // Not the future first: who waits for that may run its stages, too.
    assertTrue(where.get(30, TimeUnit.SECONDS));
    assertEquals(EventMask.IN, future.get(30, TimeUnit.SECONDS).mask());
  }

  @Test
  void cancellingTheFutureCancelsTheAwait() throws Exception {
    CompletableFuture<Readiness> future = registration.whenReady(Interest.READABLE);
    assertEquals(1, waiting());
    assertTrue(future.cancel(true));
    assertEquals(0, waiting());
    assertEquals(1, poller.stats().cancels());
    Fds.add(registration.fd(), 1);
    assertTrue(registration.whenReady(Interest.READABLE).get(30, TimeUnit.SECONDS).isReadable());
  }

  @Test
  @Conformance({332})
  void theEndOfItsTimeCancelsTheAwait() throws Exception {
    CompletableFuture<Readiness> future = registration.whenReady(Interest.READABLE);
    assertEquals(
        TimeoutException.class, causeOf(future.orTimeout(20, TimeUnit.MILLISECONDS)).getClass());
    Eventually.until("cancelled", () -> waiting() == 0);
    CompletableFuture<Readiness> defaulted =
        registration
            .whenReady(Interest.READABLE)
            .completeOnTimeout(Readiness.NONE, 20, TimeUnit.MILLISECONDS);
    assertTrue(defaulted.get(30, TimeUnit.SECONDS).isNone());
    Eventually.until("cancelled", () -> waiting() == 0);
    assertEquals(2, poller.stats().cancels());
  }

  @Test
  void cancellingAStageThatDependsOnItLeavesTheAwait() throws Exception {
    CompletableFuture<Readiness> future = registration.whenReady(Interest.READABLE);
    assertTrue(future.thenApply(Readiness::mask).cancel(true));
    assertTrue(future.copy().cancel(true));
    assertEquals(1, waiting());
    Fds.add(registration.fd(), 1);
    assertTrue(future.get(30, TimeUnit.SECONDS).isReadable());
  }

  @Test
  @Conformance({301, 338, 343})
  void closeFailsTheFuture() throws Exception {
    CompletableFuture<Readiness> before = registration.whenReady(Interest.READABLE);
    Registration other = poller.register(fds.eventfd(0));
    CompletableFuture<Readiness> elsewhere = other.whenReady(Interest.READABLE);
    registration.close();
    assertEquals(ClosedRegistrationException.class, causeOf(before).getClass());
    CompletableFuture<Readiness> after = registration.whenReady(Interest.READABLE);
    assertTrue(after.isCompletedExceptionally());
    assertEquals(ClosedRegistrationException.class, causeOf(after).getClass());
    poller.close();
    assertEquals(ClosedPollerException.class, causeOf(elsewhere).getClass());
    assertEquals(
        ClosedPollerException.class, causeOf(other.whenReady(Interest.READABLE)).getClass());
  }

  @Test
  void aStageThatThrowsHarmsNobody() throws Exception {
    CompletableFuture<Readiness> first = registration.whenReady(Interest.READABLE);
    CompletableFuture<Readiness> second = registration.whenReady(Interest.READABLE);
    CompletableFuture<Object> broken =
        first.thenApply(
            readiness -> {
              throw new IllegalStateException("a stage that throws");
            });
    Fds.add(registration.fd(), 1);
    assertTrue(second.get(30, TimeUnit.SECONDS).isReadable());
    assertEquals(IllegalStateException.class, causeOf(broken).getClass());
  }

  @Test
  @Conformance({328})
  void cancelAgainstTheEventEndsEveryFutureAndLeavesNobodyWaiting() throws Exception {
    for (int round = 0; round < 3000; round++) {
      List<CompletableFuture<Readiness>> futures = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        futures.add(registration.whenReady(Interest.READABLE));
      }
      Fds.add(registration.fd(), 1);
      futures.get(1).cancel(false);
      assertTrue(futures.get(0).get(30, TimeUnit.SECONDS).isReadable());
      assertTrue(futures.get(2).get(30, TimeUnit.SECONDS).isReadable());
      assertTrue(futures.get(1).isDone());
      assertEquals(0, waiting());
      Fds.drain(registration.fd());
    }
  }
}
