package dev.epoll;

import org.jetbrains.lincheck.datastructures.Operation;

/**
 * A poller that falls asleep while tasks are posted. {@link SleepSpecification} says what may come
 * of it.
 */
public class SleepOperations {
  private final Core core = new Core();
  private boolean isAsleep;
  private int accepted;

  @Operation
  public void post() {
    if (core.loop.post(() -> {})) {
      synchronized (this) {
        accepted++;
      }
      core.wakeup.wake();
    }
  }

  @Operation(nonParallelGroup = "poller thread")
  public void fallAsleep() {
    isAsleep = core.loop.fallAsleep(0) != 0;
  }

  /** After all: whether it sleeps on, though there is a task. */
  @Operation
  public boolean sleepsThroughATask() {
    return isAsleep && accepted > 0 && core.counters.wakeups.sum() == 0;
  }
}
