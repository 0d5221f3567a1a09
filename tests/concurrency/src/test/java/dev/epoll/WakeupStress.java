package dev.epoll;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * Invariant 7: the poller sleeps only if it has published that it will, and has looked once more.
 */
public final class WakeupStress {
  private WakeupStress() {}

  /** A poller falls asleep while somebody posts a task. */
  @JCStressTest
  @Outcome(id = "awake", expect = ACCEPTABLE, desc = "it found the task, and does not sleep")
  @Outcome(id = "awake, written", expect = ACCEPTABLE, desc = "one early end of a wait, no more")
  @Outcome(id = "asleep, written", expect = ACCEPTABLE, desc = "the eventfd ends the sleep")
  @Outcome(id = "asleep", expect = FORBIDDEN, desc = "lost: it sleeps, and the task waits")
  @State
  public static class SleepAndPost extends CoreUnderStress {
    private boolean sleeps;

    @Actor
    public void poller() {
      sleeps = loop.fallAsleep(System.nanoTime()) != 0;
    }

    @Actor
    public void other() {
      loop.post(() -> {});
      wakeup.wake();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = (sleeps ? "asleep" : "awake") + (kernel.hasWritten() ? ", written" : "");
    }
  }

  /**
   * A poller that was asleep wakes for an event, and falls asleep again, while a task is posted.
   */
  @JCStressTest
  @Outcome(id = "awake", expect = ACCEPTABLE, desc = "it found the task, and does not sleep")
  @Outcome(id = "awake, written", expect = ACCEPTABLE, desc = "one early end of a wait, no more")
  @Outcome(id = "asleep, written", expect = ACCEPTABLE, desc = "the eventfd ends the sleep")
  @Outcome(id = "asleep", expect = FORBIDDEN, desc = "lost: it sleeps, and the task waits")
  @State
  public static class SleepAgainAndPost extends CoreUnderStress {
    private boolean sleeps;

    public SleepAgainAndPost() {
      loop.fallAsleep(System.nanoTime());
    }

    @Actor
    public void poller() {
      loop.wakeUp();
      sleeps = loop.fallAsleep(System.nanoTime()) != 0;
    }

    @Actor
    public void other() {
      loop.post(() -> {});
      wakeup.wake();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = (sleeps ? "asleep" : "awake") + (kernel.hasWritten() ? ", written" : "");
    }
  }
}
