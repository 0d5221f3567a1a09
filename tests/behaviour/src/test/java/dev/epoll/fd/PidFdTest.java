package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.ClosedRegistrationException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PidFdTest {
  private final List<Process> started = new ArrayList<>();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() throws Exception {
    poller.close();
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
  }

  private Process start(String... command) throws IOException {
    Process process = new ProcessBuilder(command).start();
    started.add(process);
    return process;
  }

  private Process sleeping() throws IOException {
    return start("sleep", "600");
  }

  @ParameterizedTest
  @EnumSource
  void whoWaitsIsResumedByTheExit(ThreadKind kind) throws Exception {
    Process process = sleeping();
    try (PidFd pidFd = PidFd.open(poller, process.pid())) {
      assertEquals(process.pid(), pidFd.pid());
      assertFalse(pidFd.hasExited());
      Running<Boolean> waiting =
          Running.on(
                  kind,
                  () -> {
                    pidFd.blockUntilExit();
                    return pidFd.hasExited();
                  })
              .waitingOn(pidFd.registration());
      process.destroy();
      assertTrue(waiting.result());
      pidFd.blockUntilExit();
      assertTrue(pidFd.blockUntilExit(Duration.ZERO));
    }
  }

  @Test
  void aTimeoutEndsTheWaitNotEarly() throws Exception {
    try (PidFd pidFd = PidFd.open(poller, sleeping().pid())) {
      long start = System.nanoTime();
      assertFalse(pidFd.blockUntilExit(Duration.ofMillis(30)));
      assertTrue(System.nanoTime() - start >= 30_000_000);
      assertFalse(pidFd.blockUntilExit(Duration.ZERO));
      assertThrows(
          IllegalArgumentException.class, () -> pidFd.blockUntilExit(Duration.ofMillis(-1)));
    }
  }

  @Test
  void aProcessNeedNotBeAChildAndAZombieHasExited() throws Exception {
    // The grandchild's parent, once it is sleep, never reaps it.
    Process parent = start("sh", "-c", "exec 3<&0; (read line <&3) & echo $!; exec sleep 600");
    long grandchild = Long.parseLong(parent.inputReader().readLine());
    Eventually.until(
        "the shell has become sleep", () -> parent.info().command().orElse("").endsWith("sleep"));
    try (PidFd pidFd = PidFd.open(poller, grandchild)) {
      assertFalse(pidFd.hasExited());
      parent.getOutputStream().close();
      pidFd.blockUntilExit();
      assertTrue(pidFd.hasExited());
      assertTrue(ProcessHandle.of(grandchild).isPresent(), "it is a zombie");
      assertTrue(pidFd.send(Signal.TERM));
    }
  }

  @Test
  void aSignalReachesTheProcessAndNoneOnceItIsReaped() throws Exception {
    Process process = sleeping();
    try (PidFd pidFd = PidFd.open(poller, process.pid())) {
      assertTrue(pidFd.send(Signal.CONT));
      assertFalse(pidFd.hasExited());
      assertTrue(pidFd.send(Signal.realTime(2)));
      assertEquals(128 + 36, process.waitFor());
      assertFalse(pidFd.send(Signal.KILL));
      assertTrue(pidFd.hasExited());
      assertTrue(pidFd.registration().blockUntil(Interest.READABLE).isReadable());
    }
  }

  @Test
  void aPidThatNobodyHasIsEsrch() throws Exception {
    Process process = start("true");
    process.waitFor();
    var before = KernelFds.openNow();
    SyscallException e =
        assertThrows(SyscallException.class, () -> PidFd.open(poller, process.pid()));
    assertEquals("ESRCH", e.errnoName());
    assertTrue(e.getMessage().contains("no process has pid " + process.pid()), e::getMessage);
    KernelFds.assertNoneSince(before);
  }

  @Test
  void aThreadIsRefusedAndNamed() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Thread thread = new Thread(() -> await(end), "not-a-process");
    thread.start();
    try {
      int tid = Eventually.tid("not-a-process");
      SyscallException e = assertThrows(SyscallException.class, () -> PidFd.open(poller, tid));
      assertTrue(e.getMessage().contains(tid + " is a thread"), e::getMessage);
    } finally {
      end.countDown();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE, 1L << 31})
  void refusesWhatIsNoPid(long pid) {
    var e = assertThrows(IllegalArgumentException.class, () -> PidFd.open(poller, pid));
    assertTrue(e.getMessage().contains(Long.toString(pid)), e::getMessage);
  }

  @Test
  void isCloseOnExecAndNonBlocking() throws Exception {
    try (PidFd self = PidFd.open(poller, ProcessHandle.current().pid())) {
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(self.fd(), LibC.F_GETFD, 0));
      assertTrue((C.fcntl(self.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
      assertFalse(self.hasExited());
    }
  }

  @Test
  void closeFailsTheWaiterAndLaterCalls() throws Exception {
    PidFd pidFd = PidFd.open(poller, sleeping().pid());
    Running<?> waiting =
        Running.of(
                () -> {
                  pidFd.blockUntilExit();
                  return null;
                })
            .waitingOn(pidFd.registration());
    pidFd.close();
    assertInstanceOf(ClosedRegistrationException.class, waiting.failure());
    assertThrows(ClosedChannelException.class, pidFd::hasExited);
    assertThrows(ClosedChannelException.class, () -> pidFd.send(Signal.TERM));
    assertTrue(started.get(0).isAlive());
  }

  @Test
  void aFailedOpenLeavesNothing() throws Exception {
    long self = ProcessHandle.current().pid();
    Poller closed = Poller.open();
    closed.close();
    var before = KernelFds.openNow();
    assertThrows(ClosedPollerException.class, () -> PidFd.open(closed, self));
    SyscallException e =
        FdLimit.whileReached(
            () -> assertThrows(SyscallException.class, () -> PidFd.open(poller, self)));
    assertEquals("EMFILE", e.errnoName());
    KernelFds.assertNoneSince(before);
  }
}
