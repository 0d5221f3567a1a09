package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
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
import java.util.concurrent.locks.LockSupport;
import jnr.ffi.LibraryLoader;

/** What {@link SignalFdTest} runs in a JVM that blocks USR1, CHLD, TERM and RTMIN+1. */
public final class SignalScenarios {
  private static final int BY_KILL = 0;
  private static final int BY_SIGQUEUE = -1;
  private static final Signal REAL_TIME = Signal.realTime(1);

  private SignalScenarios() {}

  /** Calls that send signals. */
  public interface Kill {
    Kill C = LibraryLoader.create(Kill.class).load("c");

    int kill(int pid, int signal);

    int sigqueue(int pid, int signal, long value);
  }

  /** Sends {@code signal} to this process. */
  public static void kill(Signal signal) {
    check(Kill.C.kill(C.getpid(), signal.number()));
  }

  public static void eachSignalIsOneEvent() throws Exception {
    try (Poller poller = Poller.open();
        SignalFd signals = SignalFd.open(poller, Signal.USR1)) {
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(signals.fd(), LibC.F_GETFD, 0));
      assertTrue((C.fcntl(signals.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
      for (int i = 0; i < 100; i++) {
        assertNull(signals.tryTake());
        kill(Signal.USR1);
        assertTrue(signals.registration().blockUntil(Interest.READABLE).isReadable());
        SignalFd.Event event = signals.tryTake();
        assertNotNull(event);
        assertEquals(Signal.USR1, event.signal());
        assertEquals(BY_KILL, event.code());
        assertEquals(C.getpid(), event.pid());
        assertTrue(event.uid() >= 0);
        assertTrue(isSilent(signals));
      }
    }
  }

  public static void theNamesOfThreadsDoNotMatter() throws Exception {
    Thread thread = new Thread(LockSupport::park, "ä".repeat(20));
    thread.start();
    Eventually.parked(thread);
    try (Poller poller = Poller.open();
        SignalFd signals = SignalFd.open(poller, Signal.USR1)) {
      assertTrue(isSilent(signals));
    } finally {
      LockSupport.unpark(thread);
      thread.join();
    }
  }

  public static void pendingSignalsCountOnceRealTimeSignalsEach() throws Exception {
    for (int i = 0; i < 3; i++) {
      kill(Signal.USR1);
    }
    for (int i = 0; i < 100; i++) {
      check(Kill.C.sigqueue(C.getpid(), REAL_TIME.number(), -i));
    }
    try (Poller poller = Poller.open();
        SignalFd signals = SignalFd.open(poller, Signal.USR1, REAL_TIME)) {
      assertEquals(Signal.USR1, signals.blocking().take().signal());
      for (int i = 0; i < 100; i++) {
        SignalFd.Event event = signals.blocking().take();
        assertEquals(REAL_TIME, event.signal());
        assertEquals(-i, event.value());
        assertEquals(BY_SIGQUEUE, event.code());
      }
      assertNull(signals.tryTake());
    }
  }

  public static void aSignalForOneThreadIsReadByThatThreadOnly() throws Exception {
    try (Poller poller = Poller.open();
        SignalFd signals = SignalFd.open(poller, Signal.USR1)) {
      Running<SignalFd.Event> target =
          Running.of(
              () -> {
                Thread.currentThread().setName("target");
                check(C.tgkill(C.getpid(), Eventually.tid("target"), Signal.USR1.number()));
                assertTrue(isSilent(signals)); // the poller thread sees none
                assertNull(Running.of(signals::tryTake).result());
                return signals.tryTake();
              });
      assertEquals(Signal.USR1, target.result().signal());
      assertNull(signals.tryTake());
    }
  }

  private static boolean isSilent(SignalFd signals) throws Exception {
    return signals.registration().blockUntil(Interest.READABLE, Duration.ofMillis(10)).isNone();
  }

  public static void theExitOfAChildIsAnEvent() throws Exception {
    try (Poller poller = Poller.open();
        SignalFd signals = SignalFd.open(poller, Signal.CHLD)) {
      while (signals.tryTake() != null) {} // of children before
      Process child = new ProcessBuilder("sh", "-c", "exit 7").start();
      SignalFd.Event event = signals.blocking().take();
      while (event.pid() != child.pid()) { // what the JDK starts children with
        event = signals.blocking().take();
      }
      assertEquals(7, event.status());
      assertEquals(7, child.waitFor());
    }
  }

  public static void termIsReceivedWhereHotSpotLeavesItBlocked() throws Exception {
    try (Poller poller = Poller.open();
        SignalFd signals = SignalFd.open(poller, Signal.TERM)) {
      kill(Signal.TERM);
      assertEquals(Signal.TERM, signals.blocking().take().signal());
    }
  }

  public static void waitingThreadsAreResumedBySignalsAndFailedByClose() throws Exception {
    for (ThreadKind kind : ThreadKind.values()) {
      if (kind == ThreadKind.VIRTUAL && Runtime.version().feature() < 21) {
        continue;
      }
      try (Poller poller = Poller.open()) {
        SignalFd signals = SignalFd.open(poller, Signal.USR1);
        Running<SignalFd.Event> waiting =
            Running.on(kind, signals.blocking()::take).waitingOn(signals.registration());
        kill(Signal.USR1);
        assertEquals(Signal.USR1, waiting.result().signal());
        waiting = Running.on(kind, signals.blocking()::take).waitingOn(signals.registration());
        signals.close();
        assertInstanceOf(ClosedRegistrationException.class, waiting.failure());
        assertThrows(ClosedChannelException.class, signals::tryTake);
      }
    }
  }

  public static void aFailedOpenLeavesNothing() throws Exception {
    try (Poller poller = Poller.open()) {
      SignalFd.open(poller, Signal.USR1).close();
      Poller closed = Poller.open();
      closed.close();
      var before = KernelFds.openNow();
      assertThrows(ClosedPollerException.class, () -> SignalFd.open(closed, Signal.USR1));
      SyscallException e =
          FdLimit.whileReached(
              () -> assertThrows(SyscallException.class, () -> SignalFd.open(poller, Signal.USR1)));
      assertEquals("EMFILE", e.errnoName());
      // One for the signalfd, none to look at /proc with.
      FdLimit.whileRoomFor(
          1, () -> assertThrows(IOException.class, () -> SignalFd.open(poller, Signal.USR1)));
      KernelFds.assertNoneSince(before);
    }
  }
}
