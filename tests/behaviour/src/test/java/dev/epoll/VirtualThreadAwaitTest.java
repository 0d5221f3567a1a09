package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.VThreads;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VirtualThreadAwaitTest {
  private final Fds fds = new Fds();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    VThreads.assume();
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    if (poller != null) {
      poller.close();
    }
    fds.close();
  }

  private interface Call {
    Readiness run() throws Exception;
  }

  private static Thread start(AtomicReference<Object> outcome, Call call) {
    return VThreads.start(
        () -> {
          try {
            outcome.set(call.run());
          } catch (Exception e) {
            outcome.set(e);
          }
        });
  }

  private void untilWaiting(int count) {
    Eventually.until(
        count + " wait",
        () ->
            poller.snapshot().registrations().stream()
                    .mapToInt(PollerSnapshot.Watched::waiters)
                    .sum()
                == count);
  }

  @Test
  @Conformance({358})
  void waitingThreadsHoldNoCarrierAndPinNone(@TempDir Path directory) throws Exception {
    int waiting = 4 * Runtime.getRuntime().availableProcessors();
    try (Recording recording = new Recording()) {
      recording.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ZERO);
      recording.start();
      Registration registration = poller.register(fds.eventfd(0));
      List<AtomicReference<Object>> outcomes = new ArrayList<>();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < waiting; i++) {
        outcomes.add(new AtomicReference<>());
        threads.add(start(outcomes.get(i), () -> registration.blockUntil(Interest.READABLE)));
      }
      untilWaiting(waiting);
      CountDownLatch worked = new CountDownLatch(1);
      VThreads.start(worked::countDown);
      assertTrue(worked.await(30, TimeUnit.SECONDS), "the waiting threads hold the carriers");
      Fds.add(registration.fd(), 1);
      for (int i = 0; i < waiting; i++) {
        threads.get(i).join();
        assertTrue(((Readiness) outcomes.get(i).get()).isReadable());
      }
      recording.stop();
      Path file = directory.resolve("pinned.jfr");
      recording.dump(file);
      assertEquals(List.of(), pinnedHere(file));
    }
  }

  private static List<String> pinnedHere(Path file) throws IOException {
    return RecordingFile.readAllEvents(file).stream()
        .map(RecordedEvent::toString)
        .filter(event -> event.contains("dev.epoll"))
        .toList();
  }

  @Test
  @Conformance({371})
  void tenThousandThreadsEachResumeOnceWhenWokenInRandomOrder() throws Exception {
    int count = 10_000;
    AtomicInteger resumed = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Integer> eventfds = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int eventfd = fds.eventfd(0);
      eventfds.add(eventfd);
      Registration registration = poller.register(eventfd);
      threads.add(
          VThreads.start(
              () -> {
                try {
                  assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
                  resumed.incrementAndGet();
                } catch (Throwable e) {
                  failure.set(e);
                }
              }));
    }
    untilWaiting(count);
    Collections.shuffle(eventfds, new Random(1));
    eventfds.forEach(eventfd -> Fds.add(eventfd, 1));
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(null, failure.get());
    assertEquals(count, resumed.get());
    Rounds.pass(poller);
    assertEquals(count, poller.stats().resumes());
    assertEquals(2L * count, poller.stats().epollControls());
  }

  @Test
  @Conformance({362, 334, 373})
  void interruptEndsTheWaitAndLeavesTheFdUsable() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    for (int i = 0; i < 100; i++) {
      AtomicReference<Object> outcome = new AtomicReference<>();
      Thread thread = start(outcome, () -> registration.blockUntil(Interest.READABLE));
      untilWaiting(1);
      thread.interrupt();
      thread.join();
      assertEquals(InterruptedException.class, outcome.get().getClass());
      untilWaiting(0);
    }
    Fds.add(registration.fd(), 1);
    AtomicReference<Object> outcome = new AtomicReference<>();
    start(outcome, () -> registration.blockUntil(Interest.READABLE)).join();
    assertTrue(((Readiness) outcome.get()).isReadable());
  }

  @Test
  @Conformance({373, 284})
  void eventTimeAndCloseEndATimedWaitEachInItsWay() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    AtomicReference<Object> outcome = new AtomicReference<>();
    long start = System.nanoTime();
    Duration time = Duration.ofMillis(20);
    start(outcome, () -> registration.blockUntil(Interest.READABLE, time)).join();
    assertTrue(System.nanoTime() - start >= time.toNanos());
    assertEquals(Readiness.NONE, outcome.get());
    Duration day = Duration.ofDays(1);
    Thread timed = start(outcome, () -> registration.blockUntil(Interest.READABLE, day));
    untilWaiting(1);
    Fds.add(registration.fd(), 1);
    timed.join();
    assertTrue(((Readiness) outcome.get()).isReadable());
    Fds.drain(registration.fd());
    timed = start(outcome, () -> registration.blockUntil(Interest.READABLE, day));
    untilWaiting(1);
    registration.close();
    timed.join();
    assertEquals(ClosedRegistrationException.class, outcome.get().getClass());
  }

  @Test
  @Conformance({262})
  void noInterruptIsLostInALoopOfWaits() throws Exception {
    Registration registration = poller.register(fds.eventfd(0));
    AtomicInteger interrupts = new AtomicInteger();
    int rounds = 3000;
    Thread thread =
        VThreads.start(
            () -> {
              while (interrupts.get() < rounds) {
                try {
                  registration.blockUntil(Interest.READABLE);
                } catch (InterruptedException e) {
                  interrupts.incrementAndGet();
                } catch (IOException e) {
                  return;
                }
              }
            });
    for (int i = 0; i < rounds; i++) {
      int before = i;
      thread.interrupt();
      long limit = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (interrupts.get() == before) {
        assertTrue(System.nanoTime() - limit < 0, "an interrupt is lost");
        Thread.onSpinWait();
      }
    }
    thread.join();
    assertEquals(0, poller.snapshot().registrations().get(0).waiters());
    assertEquals(2, poller.stats().epollControls());
  }
}
