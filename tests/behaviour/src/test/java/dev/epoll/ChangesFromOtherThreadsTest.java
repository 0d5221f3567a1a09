package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ChangesFromOtherThreadsTest {
  private static final int F_DUPFD_CLOEXEC = 1030;

  @Test
  @Conformance(245)
  void aLoopingWaitSeesEachChangeOfTheSet() throws Exception {
    Epoll epoll = Epoll.open();
    try (Fds fds = new Fds()) {
      int fd = fds.eventfd(1);
      AtomicLong seen = new AtomicLong();
      AtomicLong rounds = new AtomicLong();
      Thread looping =
          new Thread(
              () -> {
                try {
                  while (true) {
                    epoll.waitForEvents(Duration.ofMillis(1));
                    epoll.ready().forEach((mask, data) -> seen.incrementAndGet());
                    rounds.incrementAndGet();
                  }
                } catch (Exception closed) {
                  rounds.set(-1);
                }
              });
      looping.start();
      epoll.add(fd, EventMask.IN, 1);
      Eventually.until("it is reported", () -> seen.get() > 0);
      epoll.modify(fd, EventMask.NONE, 1);
      assertQuietAfterTwoRounds(rounds, seen);
      epoll.modify(fd, EventMask.IN, 1);
      long before = seen.get();
      Eventually.until("it is reported again", () -> seen.get() > before);
      epoll.remove(fd);
      assertQuietAfterTwoRounds(rounds, seen);
      assertEquals(List.of(), epoll.kernelEntries());
      epoll.close();
      looping.join();
      assertEquals(-1, rounds.get());
    }
  }

  private static void assertQuietAfterTwoRounds(AtomicLong rounds, AtomicLong seen) {
    awaitRounds(rounds, 2);
    long before = seen.get();
    awaitRounds(rounds, 2);
    assertEquals(before, seen.get());
  }

  private static void awaitRounds(AtomicLong rounds, int more) {
    long target = rounds.get() + more;
    Eventually.until("the loop goes round", () -> rounds.get() >= target);
  }

  @Test
  @Conformance(253)
  void closingARegistrationWhileThePollerSleepsIsNeitherMissedNorWaitedFor() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open(PollerConfig.defaults().withThreadName("idle-poller"))) {
      Fds.Pair pipe = fds.pipe();
      Registration closed = poller.register(pipe.a());
      var waiting = closed.whenReady(Interest.READABLE);
      Eventually.asleepInKernel("idle-poller");
      closed.close();
      assertTrue(waiting.isCompletedExceptionally());
      try (Registration again = poller.register(pipe.a())) {
        var next = again.whenReady(Interest.READABLE);
        Fds.write(pipe.b(), 1);
        assertTrue(next.get().isReadable());
      }
    }
  }

  @Test
  @Conformance(280)
  void tinyTimeoutsInBothDirectionsLoseNothingAndHangNobody() throws Exception {
    int rounds = 1000;
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (Fds fds = new Fds();
        Poller poller = Poller.open();
        Registration registration = poller.register(fds.socketpair().a())) {
      Future<Long> writable =
          threads.submit(() -> countReady(registration, Interest.WRITABLE, rounds));
      Future<Long> readable =
          threads.submit(() -> countReady(registration, Interest.READABLE, rounds));
      assertEquals(0, readable.get());
      writable.get();
      PollerStats stats = poller.stats();
      assertEquals(stats.arms(), stats.resumes() + stats.cancels() + stats.failures());
      assertTrue(registration.blockUntil(Interest.WRITABLE).isWritable());
    } finally {
      threads.shutdown();
    }
  }

  private static long countReady(Registration registration, Interest interest, int rounds)
      throws Exception {
    long ready = 0;
    for (int i = 0; i < rounds; i++) {
      ready += registration.blockUntil(interest, Duration.ofNanos(2_000)).isNone() ? 0 : 1;
    }
    return ready;
  }

  @Test
  @Conformance(298)
  void aNumberBeyondTheLimitOfSelectIsAwaitedLikeAnyOther() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      Fds.Pair pipe = fds.pipe();
      int high = LibC.check(C.fcntl(pipe.a(), F_DUPFD_CLOEXEC, 5000));
      try (Registration registration = poller.register(high)) {
        assertTrue(high >= 5000);
        var waiting = registration.whenReady(Interest.READABLE);
        Fds.write(pipe.b(), 1);
        assertTrue(waiting.get().isReadable());
      } finally {
        C.close(high);
      }
    }
  }

  @Test
  @Conformance(403)
  void devRandomCanBeAwaited() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open();
        Registration registration =
            poller.register(fds.open("/dev/random", LibC.O_RDONLY | LibC.O_NONBLOCK))) {
      assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
    }
  }
}
