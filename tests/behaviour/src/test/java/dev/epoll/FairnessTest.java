package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FairnessTest {
  private final Fds fds = new Fds();

  @AfterEach
  void close() {
    fds.close();
  }

  @Test
  @Conformance({43})
  void fiveThousandReadyFdsAreServedByGrowingBatches() throws Exception {
    try (Poller poller = Poller.open(PollerConfig.defaults().withBatchSize(64, 1024))) {
      List<RecordingWaiter> waiters = new ArrayList<>();
      long[] waits = new long[1];
      Rounds.inPoller(
          poller,
          () -> {
            for (int i = 0; i < 5000; i++) {
              waiters.add(awaitReady(poller));
            }
            waits[0] = poller.stats().waits();
          });
      for (RecordingWaiter waiter : waiters) {
        assertTrue(waiter.readiness().isReadable());
      }
      Rounds.inPoller(poller, () -> {});
      assertEquals(5000, poller.stats().events());
      assertTrue(poller.stats().waits() - waits[0] < 20, "the batch does not grow");
    }
  }

  private RecordingWaiter awaitReady(Poller poller) {
    try {
      RecordingWaiter waiter = new RecordingWaiter();
      poller.register(fds.eventfd(1)).arm(Interest.READABLE, waiter);
      return waiter;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @Conformance({41})
  void aBatchThatMayNotGrowServesEachReadyFdOnce() throws Exception {
    try (Poller poller = Poller.open(PollerConfig.defaults().withBatchSize(3, 3))) {
      List<RecordingWaiter> waiters = new ArrayList<>();
      Rounds.inPoller(
          poller,
          () -> {
            for (int i = 0; i < 100; i++) {
              waiters.add(awaitReady(poller));
            }
          });
      for (RecordingWaiter waiter : waiters) {
        assertTrue(waiter.readiness().isReadable());
      }
      Rounds.pass(poller);
      assertEquals(100, poller.stats().events());
    }
  }

  @Test
  void oneFdThatIsAlwaysReadyKeepsNobodyWaiting() throws Exception {
    try (Poller poller = Poller.open(PollerConfig.defaults().withBatchSize(1, 1))) {
      AtomicBoolean stop = new AtomicBoolean();
      Registration chatty = poller.register(fds.eventfd(1));
      chatty.arm(Interest.READABLE, new AgainAndAgain(chatty, stop));
      Registration quiet = poller.register(fds.eventfd(0));
      for (int i = 0; i < 200; i++) {
        RecordingWaiter waiter = new RecordingWaiter();
        quiet.arm(Interest.READABLE, waiter);
        RecordingWaiter timer = new RecordingWaiter();
        poller.schedule(Duration.ZERO, timer);
        Fds.add(quiet.fd(), 1);
        assertTrue(waiter.readiness().isReadable());
        assertTrue(timer.readiness().isNone());
        Rounds.inPoller(poller, () -> {});
        Fds.drain(quiet.fd());
      }
      stop.set(true);
    }
  }

  private static final class AgainAndAgain implements Waiter {
    private final Registration registration;
    private final AtomicBoolean stop;

    AgainAndAgain(Registration registration, AtomicBoolean stop) {
      this.registration = registration;
      this.stop = stop;
    }

    @Override
    public void ready(Readiness readiness) {
      if (!stop.get()) {
        try {
          registration.arm(Interest.READABLE, this);
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
    }

    @Override
    public void failed(IOException cause) {}
  }

  @Test
  void aFloodOfDueTimersKeepsNoEventWaiting() throws Exception {
    try (Poller poller = Poller.open(PollerConfig.defaults().withTasksPerRound(4))) {
      AtomicBoolean stop = new AtomicBoolean();
      Runnable again =
          new Runnable() {
            @Override
            public void run() {
              if (!stop.get()) {
                poller.schedule(Duration.ZERO, this);
              }
            }
          };
      for (int i = 0; i < 8; i++) {
        poller.schedule(Duration.ZERO, again);
      }
      try (Registration registration = poller.register(fds.eventfd(1))) {
        for (int i = 0; i < 100; i++) {
          assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
          Rounds.inPoller(poller, () -> {});
        }
      }
      stop.set(true);
    }
  }
}
