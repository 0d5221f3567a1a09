package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.epoll.sys.Backend;
import dev.epoll.testing.Fds;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A wait and the reading of its events allocate nothing, once the JVM is warm.
 *
 * <p>With the backend ffm the JDK itself may: to check the segment that errno is captured in it
 * makes a slice of it per downcall (40 bytes in JDK 25), which the JIT removes where it inlines the
 * call.
 */
class EpollAllocationTest {
  private static final int ROUNDS = 10_000;
  private static final int FDS = 8;
  private static final int BYTES_OF_THE_JDK = Backend.syscalls().backend().equals("ffm") ? 100 : 0;
  private static final Duration MILLISECOND = Duration.ofMillis(1);
  private static final Duration NANOSECOND = Duration.ofNanos(1);

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Fds fds = new Fds();
  private final ReadyEvents.Consumer add = (mask, data) -> this.sum += mask * data;
  private Epoll ready;
  private Epoll empty;
  private long sum;

  private interface Round {
    int run() throws IOException;
  }

  @BeforeEach
  void open() throws Exception {
    ready = Epoll.open(FDS);
    empty = Epoll.open();
    for (int i = 0; i < FDS; i++) {
      ready.add(fds.eventfd(1), EventMask.IN, 1);
    }
  }

  @AfterEach
  void close() {
    ready.close();
    empty.close();
    fds.close();
  }

  @Test
  void aWaitForEver() throws Exception {
    allocatesNothing(ROUNDS, FDS, () -> ready.waitForEvents());
  }

  @Test
  void aWaitThatDoesNotBlock() throws Exception {
    allocatesNothing(ROUNDS, FDS, () -> ready.waitForEvents(Duration.ZERO));
    allocatesNothing(ROUNDS, 0, () -> empty.waitForEvents(Duration.ZERO));
  }

  @Test
  void aWaitWithATimeout() throws Exception {
    allocatesNothing(ROUNDS, FDS, () -> ready.waitForEvents(MILLISECOND));
    allocatesNothing(1000, 0, () -> empty.waitForEvents(NANOSECOND));
  }

  @Test
  void readingEventsByIndex() throws Exception {
    ReadyEvents events = ready.ready();
    allocatesNothing(
        ROUNDS,
        FDS,
        () -> {
          int count = ready.waitForEvents();
          for (int i = 0; i < events.size(); i++) {
            sum += events.mask(i) * events.data(i);
          }
          return count;
        });
    assertTrue(sum >= (long) ROUNDS * FDS);
  }

  @Test
  void readingEventsByForEach() throws Exception {
    allocatesNothing(
        ROUNDS,
        FDS,
        () -> {
          int count = ready.waitForEvents();
          ready.ready().forEach(add);
          return count;
        });
    assertTrue(sum >= (long) ROUNDS * FDS);
  }

  @Test
  void askingWhetherItIsReady() throws Exception {
    allocatesNothing(ROUNDS, 1, () -> ready.isReady() ? 1 : 0);
  }

  /** The least of several runs: the JIT may allocate while it still replaces code. */
  private void allocatesNothing(int rounds, int expected, Round round) throws IOException {
    long limit = rounds * (BYTES_OF_THE_JDK + 1L);
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 20 && least >= limit; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < rounds; i++) {
        assertEquals(expected, round.run());
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < limit, least + " bytes in " + rounds + " rounds");
  }
}
