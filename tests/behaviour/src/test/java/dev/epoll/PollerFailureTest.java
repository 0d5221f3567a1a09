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
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A poller whose loop cannot go on. */
class PollerFailureTest {
  private static final String THREAD = "failing-poller";

  private final FaultySyscalls kernel = new FaultySyscalls(Backend.syscalls());
  private final Fds fds = new Fds();
  private final CapturedLog log = CapturedLog.of(Poller.class);
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = new Poller(PollerConfig.defaults().withThreadName(THREAD), kernel.syscalls());
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
    log.close();
  }

  /** Lets the wait after the next fail, and returns once the poller has gone. */
  private void failWith(Errno errno) {
    kernel.fail("epollWait", errno);
    kernel.fail("epollPwait2", errno);
    try {
      poller.execute(() -> {});
    } catch (RejectedExecutionException failedAlready) {
      // Its thread had not come to its first wait before.
    }
    Eventually.until("failed", () -> poller.snapshot().state() == Poller.State.FAILED);
    poller.close();
  }

  private void assertCaused(Errno errno, Throwable failure) {
    assertTrue(failure.getMessage().contains(THREAD), failure::getMessage);
    SyscallException cause = (SyscallException) failure.getCause();
    assertEquals(errno.number, cause.errno());
    assertEquals("epoll_wait", cause.call());
  }

  @ParameterizedTest
  @EnumSource(
      value = Errno.class,
      names = {"EBADF", "EINVAL"})
  void everyWaiterFailsWithTheCause(Errno errno) throws Exception {
    RecordingWaiter reader = new RecordingWaiter();
    RecordingWaiter byNumber = new RecordingWaiter();
    RecordingWaiter byTime = new RecordingWaiter();
    poller.register(fds.eventfd(0)).arm(Interest.READABLE, reader);
    poller.arm(fds.eventfd(0), Interest.READABLE, byNumber);
    poller.schedule(Duration.ofDays(1), byTime);
    failWith(errno);
    for (RecordingWaiter waiter : List.of(reader, byNumber, byTime)) {
      assertCaused(errno, waiter.failure(IOException.class));
    }
    assertEquals(Poller.State.FAILED, poller.snapshot().state());
  }

  @Test
  void everyLaterCallThrowsTheCause() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    RecordingWaiter waiter = new RecordingWaiter();
    failWith(Errno.EBADF);
    assertCaused(Errno.EBADF, thrown(() -> poller.register(fds.eventfd(0))));
    assertCaused(Errno.EBADF, thrown(() -> poller.arm(fds.eventfd(0), Interest.READABLE, waiter)));
    assertCaused(Errno.EBADF, thrown(() -> registration.arm(Interest.READABLE, waiter)));
    assertCaused(Errno.EBADF, thrown(() -> poller.schedule(Duration.ZERO, waiter)));
    assertCaused(
        Errno.EBADF,
        assertThrows(
                RejectedExecutionException.class, () -> poller.schedule(Duration.ZERO, () -> {}))
            .getCause());
    assertFalse(waiter.isTold());
  }

  private static IOException thrown(RecordingWaiter.Reaction call) {
    return assertThrows(IOException.class, call::run);
  }

  @Test
  void aTaskThatIsRefusedAfterAFailureIsRefusedWithTheCause() {
    failWith(Errno.EINVAL);
    RejectedExecutionException rejected =
        assertThrows(RejectedExecutionException.class, () -> poller.execute(() -> {}));
    assertCaused(Errno.EINVAL, rejected.getCause());
  }

  @Test
  void theThreadEndsTheFdsAreClosedAndTheFailureIsLoggedOnce() throws Exception {
    poller.close();
    Map<Integer, String> before = KernelFds.openNow();
    open();
    failWith(Errno.EBADF);
    KernelFds.assertNoneSince(before);
    assertTrue(
        Thread.getAllStackTraces().keySet().stream().noneMatch(t -> t.getName().equals(THREAD)));
    assertEquals(1, log.thrown().size());
    assertSame(SyscallException.class, log.thrown().get(0).getClass());
  }

  @Test
  void aBlockedThreadIsToldTheCause() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    Throwable[] outcome = new Throwable[1];
    Thread thread =
        new Thread(
            () ->
                outcome[0] =
                    assertThrows(
                        IOException.class, () -> registration.blockUntil(Interest.READABLE)));
    thread.start();
    Eventually.parked(thread);
    failWith(Errno.EBADF);
    thread.join();
    assertCaused(Errno.EBADF, outcome[0]);
  }

  @Test
  void aLogHandlerThatThrowsDoesNotKeepTheWaitersFromBeingTold() throws Exception {
    log.throwAtEach();
    RecordingWaiter waiter = new RecordingWaiter();
    poller.register(fds.eventfd(0)).arm(Interest.READABLE, waiter);
    failWith(Errno.EBADF);
    assertCaused(Errno.EBADF, waiter.failure(IOException.class));
  }
}
