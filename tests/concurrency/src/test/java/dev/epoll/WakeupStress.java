package dev.epoll;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
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

  /** The flag alone: one says that it sleeps, then looks; another brings work, then looks. */
  @JCStressTest
  @Outcome(id = "awake", expect = ACCEPTABLE, desc = "it saw the work")
  @Outcome(id = "awake, woken", expect = ACCEPTABLE, desc = "both saw the other")
  @Outcome(id = "asleep, woken", expect = ACCEPTABLE, desc = "whoever brought work saw it asleep")
  @Outcome(id = "asleep", expect = FORBIDDEN, desc = "lost: neither saw the other")
  @State
  public static class SayAndLook extends WakeupUnderStress {
    private volatile boolean hasWork;
    private boolean sleeps;

    @Actor
    public void poller() {
      wakeup.beforeSleep();
      sleeps = !hasWork;
    }

    @Actor
    public void other() {
      hasWork = true;
      wakeup.wake();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = (sleeps ? "asleep" : "awake") + (hasWoken() ? ", woken" : "");
    }
  }

  /** The alarm rings while a poller that relies on it falls asleep again. */
  @JCStressTest
  @Outcome(id = "set anew", expect = ACCEPTABLE, desc = "it saw that the alarm had rung")
  @Outcome(id = "set anew, woken", expect = ACCEPTABLE, desc = "both saw the other")
  @Outcome(id = "still set, woken", expect = ACCEPTABLE, desc = "the alarm saw it asleep")
  @Outcome(id = "still set", expect = FORBIDDEN, desc = "lost: the alarm will not ring again")
  @State
  public static class RingAndSleep extends WakeupUnderStress {
    private static final long DEADLINE = 1;

    private final Alarm alarm = new Alarm(this::schedule, wakeup);
    private int scheduled;
    private Timers.@Nullable Action ring;

    public RingAndSleep() {
      ringBy();
    }

    private void ringBy() {
      try {
        alarm.ringBy(DEADLINE);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    private Cancellable schedule(Duration delay, Timers.Action action) {
      if (scheduled++ == 0) {
        ring = action;
      }
      return () -> false;
    }

    @Actor
    public void poller() {
      wakeup.beforeSleep();
      ringBy();
    }

    @Actor
    public void clock() {
      Objects.requireNonNull(ring).due();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = (scheduled > 1 ? "set anew" : "still set") + (hasWoken() ? ", woken" : "");
    }
  }

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
