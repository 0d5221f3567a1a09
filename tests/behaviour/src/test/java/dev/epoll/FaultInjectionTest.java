package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FaultySyscalls;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A kernel that refuses what it seldom refuses. */
class FaultInjectionTest {
  private static final String THREAD = "fault-test";
  private static final PollerConfig CONFIG = PollerConfig.defaults().withThreadName(THREAD);

  private final FaultySyscalls kernel = new FaultySyscalls(Backend.syscalls());
  private final Fds fds = new Fds();

  @AfterEach
  void close() {
    fds.close();
  }

  private Poller open() throws Exception {
    return new Poller(CONFIG, kernel.syscalls());
  }

  private static RecordingWaiter arm(Registration registration, Interest interest)
      throws Exception {
    RecordingWaiter waiter = new RecordingWaiter();
    registration.arm(interest, waiter);
    return waiter;
  }

  @ParameterizedTest
  @CsvSource({"epollCreate1, EMFILE", "eventfd, EMFILE", "eventfd, ENFILE", "ADD, ENOSPC"})
  @Conformance({4})
  void aPollerThatCannotBeOpenedLeavesNothing(String call, Errno errno) {
    Map<Integer, String> before = KernelFds.openNow();
    kernel.fail(call, errno);
    SyscallException failure = assertThrows(SyscallException.class, this::open);
    assertEquals(errno.number, failure.errno());
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance({29})
  void aFullWatchLimitNamesTheSysctlAndLeavesNothing() throws Exception {
    try (Poller poller = open()) {
      int eventfd = fds.eventfd(1);
      kernel.fail(FaultySyscalls.ADD, 1, Errno.ENOSPC);
      SyscallException failure =
          assertThrows(SyscallException.class, () -> poller.register(eventfd));
      assertTrue(failure.getMessage().contains("fs.epoll.max_user_watches"), failure::getMessage);
      assertTrue(poller.snapshot().registrations().isEmpty());
      kernel.fail(FaultySyscalls.MOD, 1, Errno.ENOMEM);
      assertThrows(
          SyscallException.class,
          () -> poller.arm(eventfd, Interest.READABLE, new RecordingWaiter()));
      assertTrue(poller.snapshot().registrations().isEmpty());
      assertTrue(arm(poller.register(eventfd), Interest.READABLE).readiness().isReadable());
    }
  }

  @Test
  void memoryThatRunsOutInAnArmLeavesTheOthersArmed() throws Exception {
    try (Poller poller = open()) {
      int eventfd = fds.eventfd(0);
      RecordingWaiter first = new RecordingWaiter();
      poller.arm(eventfd, Interest.READABLE, first);
      kernel.before(
          FaultySyscalls.MOD,
          () -> {
            throw new OutOfMemoryError("injected");
          });
      assertThrows(
          OutOfMemoryError.class,
          () -> poller.arm(eventfd, Interest.READABLE, new RecordingWaiter()));
      kernel.heal();
      Fds.add(eventfd, 1);
      assertTrue(first.readiness().isReadable());
    }
  }

  @Test
  void whoArmsAgainAfterAFailureDoesNotEndWithThoseWhoFailedToo() throws Exception {
    try (Poller poller = open()) {
      int eventfd = fds.eventfd(0);
      RecordingWaiter again = new RecordingWaiter();
      RecordingWaiter first =
          new RecordingWaiter(() -> poller.arm(eventfd, Interest.READABLE, again));
      RecordingWaiter second = new RecordingWaiter();
      poller.arm(eventfd, Interest.READABLE, first);
      poller.arm(eventfd, Interest.READABLE, second);
      kernel.fail(FaultySyscalls.MOD, 1, Errno.ENOMEM);
      assertThrows(
          SyscallException.class,
          () -> poller.arm(eventfd, Interest.READABLE, new RecordingWaiter()));
      first.failure(SyscallException.class);
      second.failure(SyscallException.class);
      Fds.add(eventfd, 1);
      assertTrue(again.readiness().isReadable());
      assertTrue(poller.snapshot().registrations().isEmpty());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Errno.class,
      names = {"EBADF", "ENOENT", "ENOMEM"})
  @Conformance({232})
  void aFailedReArmFailsThoseWaitersAndTheBatchGoesOn(Errno errno) throws Exception {
    try (Poller poller = open()) {
      Fds.Pair sockets = fds.socketpair();
      Fds.fill(sockets.a());
      Registration first = poller.register(fds.eventfd(0));
      Registration middle = poller.register(sockets.a());
      Registration last = poller.register(fds.eventfd(0));
      RecordingWaiter before = arm(first, Interest.READABLE);
      RecordingWaiter reader = arm(middle, Interest.READABLE);
      RecordingWaiter writer = arm(middle, Interest.WRITABLE);
      RecordingWaiter priority = arm(middle, Interest.PRIORITY);
      RecordingWaiter after = arm(last, Interest.READABLE);
      kernel.fail(FaultySyscalls.MOD, 1, errno);
      Rounds.inPoller(
          poller,
          () -> {
            Fds.add(first.fd(), 1);
            Fds.write(sockets.b(), 1);
            Fds.add(last.fd(), 1);
          });
      assertTrue(before.readiness().isReadable());
      assertTrue(after.readiness().isReadable());
      assertTrue(reader.readiness().isReadable());
      assertEquals(errno.number, writer.failure(SyscallException.class).errno());
      assertEquals(errno.number, priority.failure(SyscallException.class).errno());
      assertTrue(arm(middle, Interest.READABLE).readiness().isReadable());
      Rounds.pass(poller);
      PollerStats stats = poller.stats();
      assertEquals(stats.arms(), stats.resumes() + stats.failures());
    }
  }

  @Test
  @Conformance({232, 341})
  void anFdClosedUnderTwoWaitersFailsTheOneThatCannotBeArmedAgain() throws Exception {
    try (Poller poller = open()) {
      Fds.Pair sockets = fds.socketpair();
      Fds.fill(sockets.a());
      Registration registration = poller.register(sockets.a());
      RecordingWaiter writer = arm(registration, Interest.WRITABLE);
      RecordingWaiter reader = arm(registration, Interest.READABLE);
      fds.dup(sockets.a());
      fds.close(sockets.a());
      Fds.write(sockets.b(), 1);
      assertTrue(reader.readiness().isReadable());
      assertEquals("EBADF", writer.failure(SyscallException.class).errnoName());
      assertEquals(Poller.State.OPEN, poller.snapshot().state());
    }
  }

  @Test
  void anAwaitByNumberTriesAgainIfTheRegistrationThatBarredItHasJustEnded() throws Exception {
    try (Poller poller = open()) {
      kernel.fail(FaultySyscalls.ADD, 1, Errno.EEXIST);
      RecordingWaiter waiter = new RecordingWaiter();
      poller.arm(fds.eventfd(1), Interest.READABLE, waiter);
      assertTrue(waiter.readiness().isReadable());
    }
  }

  @Test
  @Conformance({50})
  void aStormOfSignalsNeitherResumesNorFailsAnybody() throws Exception {
    try (Poller poller = open()) {
      Registration registration = poller.register(fds.eventfd(0));
      RecordingWaiter waiter = arm(registration, Interest.READABLE);
      kernel.failNth("epollWait", nth -> nth % 100 != 0, Errno.EINTR);
      kernel.failNth("epollPwait2", nth -> nth % 100 != 0, Errno.EINTR);
      RecordingWaiter timer = new RecordingWaiter();
      long start = System.nanoTime();
      poller.schedule(Duration.ofMillis(20), timer);
      assertTrue(timer.readiness().isNone());
      assertTrue(System.nanoTime() - start >= 20_000_000);
      Rounds.assertSilent(poller, waiter);
      Fds.add(registration.fd(), 1);
      assertTrue(waiter.readiness().isReadable());
    }
  }

  @Test
  @Conformance({272, 269})
  void withoutPwait2TimersCountInMillisecondsRoundedUp() throws Exception {
    kernel.fail("epollPwait2", Errno.ENOSYS);
    try (Poller poller = open()) {
      int waits = kernel.count("epollWait");
      for (int i = 0; i < 50; i++) {
        RecordingWaiter timer = new RecordingWaiter();
        long start = System.nanoTime();
        poller.schedule(Duration.ofNanos(900_000), timer);
        timer.readiness();
        assertTrue(System.nanoTime() - start >= 900_000);
      }
      assertEquals(1, kernel.count("epollPwait2"), "asked once");
      assertTrue(kernel.count("epollWait") - waits <= 50 * 3, "spins");
    }
  }

  @Test
  @Conformance({259})
  void aWakeupWhoseCounterIsFullStillWakes() throws Exception {
    Map<Integer, String> before = KernelFds.openNow();
    try (Poller poller = open()) {
      Map<Integer, String> opened = new TreeMap<>(KernelFds.openNow());
      opened.keySet().removeAll(before.keySet());
      opened.remove(poller.snapshot().epollFd());
      int wakeup = opened.keySet().iterator().next();
      Fds.add(wakeup, -2L);
      for (int i = 0; i < 100; i++) {
        Eventually.asleepInKernel(THREAD);
        Rounds.inPoller(poller, () -> {});
      }
    }
  }

  @Test
  void aWakeupThatIsRefusedOnceIsWrittenAgain() throws Exception {
    try (Poller poller = open()) {
      for (int i = 0; i < 100; i++) {
        Eventually.asleepInKernel(THREAD);
        kernel.fail("write", 1, Errno.EAGAIN);
        Rounds.inPoller(poller, () -> {});
      }
      assertFalse(kernel.count("read") == 0, "never was refused");
    }
  }
}
