package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class RegisterTest {
  private static final Interest READABLE = Interest.READABLE;

  @Test
  @Conformance({1})
  void everyFdThatAPollerOpensIsClosedOnExec() throws Exception {
    Map<Integer, String> before = KernelFds.openNow();
    try (Poller poller = Poller.open()) {
      Map<Integer, String> opened = new TreeMap<>(KernelFds.openNow());
      opened.keySet().removeAll(before.keySet());
      assertTrue(opened.containsKey(poller.snapshot().epollFd()));
      assertEquals(2, opened.size(), opened::toString);
      for (int fd : opened.keySet()) {
        assertEquals(LibC.FD_CLOEXEC, C.fcntl(fd, LibC.F_GETFD, 0));
      }
    }
  }

  @Test
  @Conformance({4})
  void openingWithoutAFreeFdFailsAndLeavesNothing() throws Exception {
    Poller.open().close();
    Map<Integer, String> before = KernelFds.openNow();
    SyscallException failure =
        FdLimit.whileReached(() -> assertThrows(SyscallException.class, Poller::open));
    assertEquals("EMFILE", failure.errnoName());
    KernelFds.assertNoneSince(before);
    Poller.open().close();
  }

  @Test
  @Conformance({5})
  void openingAndClosingAThousandTimesLeavesNothing() throws Exception {
    Map<Integer, String> before = KernelFds.openNow();
    for (int i = 0; i < 1000; i++) {
      Poller.open().close();
    }
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance({8, 11, 296})
  void aNumberThatIsNoOpenFdIsRefusedWithEbadf(@TempDir Path directory) throws Exception {
    Path file = Files.createFile(directory.resolve("a.txt"));
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      int closed = fds.eventfd(0);
      fds.close(closed);
      int onlyAPath = fds.open(file.toString(), LibC.O_PATH);
      for (int fd : List.of(-1, 99_999, closed, onlyAPath)) {
        refused("EBADF", fd, poller);
      }
      stillServes(poller, fds);
    }
  }

  @Test
  @Conformance({10, 29})
  void aFileThatCannotBePolledIsRefusedByItsPath(@TempDir Path directory) throws Exception {
    Path file = Files.createFile(directory.resolve("a.txt"));
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      List<String> paths = List.of(file.toRealPath().toString(), "/dev/null", "/dev/zero", "/proc");
      for (String path : paths) {
        SyscallException failure = refused("EPERM", fds.open(path, LibC.O_RDONLY), poller);
        assertTrue(failure.getMessage().contains(path), failure::getMessage);
      }
      stillServes(poller, fds);
    }
  }

  @Test
  @Conformance({13})
  void thePollersOwnEpollFdIsRefused() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      refused("EINVAL", poller.snapshot().epollFd(), poller);
      stillServes(poller, fds);
    }
  }

  @Test
  @Conformance({16, 290})
  void aSecondRegistrationIsRefusedAndTheFirstStays() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      Fds.Pair pipe = fds.pipe();
      Registration first = poller.register(pipe.a());
      RecordingWaiter waiter = new RecordingWaiter();
      first.arm(READABLE, waiter);
      List<Epoll.Entry> kernel = KernelTable.read(poller.snapshot().epollFd());
      for (int i = 0; i < 100; i++) {
        SyscallException failure =
            assertThrows(SyscallException.class, () -> poller.register(pipe.a()));
        assertEquals("EEXIST", failure.errnoName());
      }
      assertEquals(kernel, KernelTable.read(poller.snapshot().epollFd()));
      Fds.write(pipe.b(), 1);
      assertTrue(waiter.readiness().isReadable());
    }
  }

  @Test
  void registeringLeavesTheBlockingModeAlone() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      int blocking = fds.blockingPipe().a();
      int nonBlocking = fds.pipe().a();
      try (Registration a = poller.register(blocking);
          Registration b = poller.register(nonBlocking)) {
        assertEquals(0, C.fcntl(a.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
        assertEquals(LibC.O_NONBLOCK, C.fcntl(b.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
      }
    }
  }

  @Test
  void aRegistrationThatNobodyAwaitsCostsOneCallAndNoEvents() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      Fds.Pair pipe = fds.pipe();
      Fds.write(pipe.b(), 1);
      try (Registration registration = poller.register(pipe.a())) {
        assertEquals(1, poller.stats().epollControls());
        Rounds.pass(poller);
        assertEquals(0, poller.stats().events());
        assertEquals(EventMask.NONE, poller.snapshot().registrations().get(0).armed());
        assertTrue(registration.blockUntil(READABLE).isReadable());
      }
      assertTrue(poller.snapshot().registrations().isEmpty());
    }
  }

  @Test
  @Conformance({55, 344})
  void wrongArgumentsAreRefusedAtTheCall() throws Exception {
    Map<Integer, String> before = KernelFds.openNow();
    try (Fds fds = new Fds();
        Poller poller = Poller.open();
        Registration registration = poller.register(fds.eventfd(0))) {
      Waiter waiter = new RecordingWaiter();
      Duration negative = Duration.ofNanos(-1);
      refusedWith(NullPointerException.class, () -> Poller.open(null));
      refusedWith(NullPointerException.class, () -> poller.execute(null));
      refusedWith(NullPointerException.class, () -> registration.arm(null, waiter));
      refusedWith(NullPointerException.class, () -> registration.arm(READABLE, null));
      refusedWith(NullPointerException.class, () -> poller.arm(registration.fd(), null, waiter));
      refusedWith(NullPointerException.class, () -> poller.arm(registration.fd(), READABLE, null));
      refusedWith(NullPointerException.class, () -> registration.blockUntil(null));
      refusedWith(NullPointerException.class, () -> registration.whenReady(null));
      refusedWith(NullPointerException.class, () -> registration.blockUntil(READABLE, null));
      refusedWith(
          IllegalArgumentException.class, () -> registration.blockUntil(READABLE, negative));
      refusedWith(IllegalArgumentException.class, () -> poller.schedule(negative, () -> {}));
      refusedWith(IllegalArgumentException.class, () -> poller.schedule(negative, waiter));
      assertEquals(0, poller.stats().arms());
      assertEquals(0, poller.snapshot().timers());
      stillServes(poller, fds);
    }
    KernelFds.assertNoneSince(before);
  }

  private static void refusedWith(Class<? extends RuntimeException> type, Executable call) {
    assertThrows(type, call);
  }

  private static SyscallException refused(String errno, int fd, Poller poller) throws IOException {
    List<Epoll.Entry> kernel = KernelTable.read(poller.snapshot().epollFd());
    SyscallException atRegister = assertThrows(SyscallException.class, () -> poller.register(fd));
    RecordingWaiter waiter = new RecordingWaiter();
    SyscallException atArm =
        assertThrows(SyscallException.class, () -> poller.arm(fd, READABLE, waiter));
    assertEquals(List.of(errno, errno), List.of(atRegister.errnoName(), atArm.errnoName()));
    assertEquals(fd, atRegister.fd());
    assertFalse(waiter.isTold());
    assertEquals(kernel, KernelTable.read(poller.snapshot().epollFd()));
    assertTrue(poller.snapshot().registrations().stream().noneMatch(w -> w.fd() == fd));
    return atRegister;
  }

  private static void stillServes(Poller poller, Fds fds) throws Exception {
    try (Registration registration = poller.register(fds.eventfd(1))) {
      assertTrue(registration.blockUntil(READABLE).isReadable());
    }
  }
}
