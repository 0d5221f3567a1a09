package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Kernel: epoll_wait(2) fails with EINTR whenever a handler ran; the library waits on. */
class EpollSignalTest {
  private static final int SIGUSR2 = 12;

  private final AtomicInteger handled = new AtomicInteger();
  private Object previous;

  @BeforeEach
  void installAHandler() throws Exception {
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    previous =
        handle(
            Proxy.newProxyInstance(
                handler.getClassLoader(),
                new Class<?>[] {handler},
                (proxy, method, arguments) -> handled.incrementAndGet()));
  }

  @AfterEach
  void restoreTheHandler() throws Exception {
    handle(previous);
  }

  /** sun.misc.Signal by reflection: javac warns of it, and its warning cannot be suppressed. */
  private static Object handle(Object handler) throws Exception {
    Class<?> signal = Class.forName("sun.misc.Signal");
    return signal
        .getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
        .invoke(null, signal.getConstructor(String.class).newInstance("USR2"), handler);
  }

  private static void signal(int tid) {
    check(C.tgkill(C.getpid(), tid, SIGUSR2));
  }

  @Test
  void signalsDoNotEndAWaitForEver() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int fd = fds.eventfd(0);
      epoll.add(fd, EventMask.IN, 5);
      WaitingThread waiting = WaitingThread.in(epoll);
      int tid = Eventually.tid(waiting.name());
      for (int i = 1; i <= 50; i++) {
        int soFar = i;
        signal(tid);
        Eventually.until("the handler ran", () -> handled.get() >= soFar);
        Eventually.asleepInKernel(waiting.name());
      }
      assertFalse(waiting.isOver());
      Fds.add(fd, 1);
      assertEquals(1, waiting.count());
      assertEquals(5, epoll.ready().data(0));
    }
  }

  @Test
  void signalsNeitherShortenNorRestartATimedWait() throws Exception {
    Duration timeout = Duration.ofMillis(200);
    try (Epoll epoll = Epoll.open()) {
      AtomicLong waited = new AtomicLong();
      WaitingThread waiting =
          WaitingThread.in(
              epoll,
              () -> {
                long start = System.nanoTime();
                int count = epoll.waitForEvents(timeout);
                waited.set(System.nanoTime() - start);
                return count;
              });
      int tid = Eventually.tid(waiting.name());
      Eventually.until(
          "the wait ends although signals keep coming",
          () -> C.tgkill(C.getpid(), tid, SIGUSR2) < 0 || waiting.isOver());
      assertEquals(0, waiting.count());
      assertTrue(waited.get() >= timeout.toNanos(), () -> waited + " ns");
      assertTrue(handled.get() > 0, "no signal was handled");
    }
  }
}
