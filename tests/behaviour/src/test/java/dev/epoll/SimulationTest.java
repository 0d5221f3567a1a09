package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.simulation.Seen;
import dev.epoll.testing.CapturedLog;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * The whole engine on a simulated kernel, on one thread, in an order that a seed chooses: see
 * {@link Simulation}. A seed that fails is in the message; {@code -Dsimulation.seed} runs it alone.
 */
class SimulationTest {
  private static final int RUNS = Integer.getInteger("simulation.runs", 250);
  private static final int STEPS = Integer.getInteger("simulation.steps", 4000);
  private static final long FIRST_SEED = Long.getLong("simulation.first", 1);

  /** What never happens is not tested. */
  private static final List<String> HAPPENS =
      List.of(
          "an edge came before",
          "cancelled",
          "closed",
          "closed from within",
          "errno EBADF",
          "errno ENOENT",
          "errno ENOMEM",
          "errno EPERM",
          "injected ADD",
          "injected MOD",
          "injected epollWait",
          "errno EINVAL of the wait",
          "injected write",
          "recycled",
          "timers cancelled",
          "timers due",
          "timers ended",
          "waiters threw",
          "woken");

  @Test
  void everyAwaitEndsOnceWhateverTheKernelDoes() {
    Long only = Long.getLong("simulation.seed");
    LongStream seeds =
        only == null ? LongStream.range(FIRST_SEED, FIRST_SEED + RUNS) : LongStream.of(only);
    Seen all = new Seen();
    // Pollers fail, and waiters throw, by the hundred, and that is logged.
    try (CapturedLog log = CapturedLog.of(Poller.class)) {
      seeds.forEach(
          seed -> {
            try {
              all.add(Simulation.run(seed, STEPS, only != null));
            } catch (Throwable e) {
              throw new AssertionError("-Dsimulation.seed=" + seed + ": " + e.getMessage(), e);
            }
          });
      assertEquals(
          all.count("errno EINVAL of the wait") + all.count("waiters threw"), log.thrown().size());
    }
    System.out.println("simulation: " + all);
    if (only == null) {
      HAPPENS.forEach(it -> assertTrue(all.count(it) > 0, () -> "never: " + it));
    }
    assertEquals(
        all.count("armed"), all.count("ready") + all.count("failed") + all.count("cancelled"));
  }
}
