package dev.epoll;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** Invariant 2: an await has exactly one outcome, whoever ends it. */
public final class OutcomeStress {
  private OutcomeStress() {}

  /** An event comes while somebody cancels. */
  @JCStressTest
  @Outcome(id = "ready", expect = ACCEPTABLE, desc = "told of readiness, and not cancelled")
  @Outcome(id = "cancelled", expect = ACCEPTABLE, desc = "cancelled, and told nothing")
  @Outcome(expect = FORBIDDEN, desc = "no outcome, or more than one")
  @State
  public static class EventAndCancel extends RegistrationUnderStress.Armed {
    private boolean isCancelled;

    @Actor
    public void poller() {
      event();
    }

    @Actor
    public void canceller() {
      isCancelled = cancel();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = await.outcomes() + (isCancelled ? "cancelled" : "");
    }
  }

  /** An event comes while somebody closes the registration. */
  @JCStressTest
  @Outcome(id = "ready", expect = ACCEPTABLE, desc = "told of readiness, and of nothing else")
  @Outcome(id = "failed", expect = ACCEPTABLE, desc = "told of the close, and of nothing else")
  @Outcome(expect = FORBIDDEN, desc = "no outcome, or more than one")
  @State
  public static class EventAndClose extends RegistrationUnderStress.Armed {
    @Actor
    public void poller() {
      event();
    }

    @Actor
    public void closer() {
      registration.close();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = await.outcomes();
    }
  }

  /** One cancels while another closes the registration. */
  @JCStressTest
  @Outcome(id = "failed", expect = ACCEPTABLE, desc = "told of the close, and not cancelled")
  @Outcome(id = "cancelled", expect = ACCEPTABLE, desc = "cancelled, and told nothing")
  @Outcome(expect = FORBIDDEN, desc = "no outcome, or more than one")
  @State
  public static class CancelAndClose extends RegistrationUnderStress.Armed {
    private boolean isCancelled;

    @Actor
    public void canceller() {
      isCancelled = cancel();
    }

    @Actor
    public void closer() {
      registration.close();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = await.outcomes() + (isCancelled ? "cancelled" : "");
    }
  }

  /** Two cancel the same await. */
  @JCStressTest
  @Outcome(id = "one", expect = ACCEPTABLE, desc = "one of the two has taken it back")
  @Outcome(expect = FORBIDDEN, desc = "both were told that they have, or neither")
  @State
  public static class CancelAndCancel extends RegistrationUnderStress.Armed {
    private boolean first;
    private boolean second;

    @Actor
    public void one() {
      first = cancel();
    }

    @Actor
    public void other() {
      second = cancel();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = first && second ? "both" : first || second ? "one" : "neither";
    }
  }

  /**
   * A coroutine begins to wait while its job is cancelled: the steps, and their order, are those of
   * {@code CoroutineAwait}.
   */
  @JCStressTest
  @Outcome(id = "by the job", expect = ACCEPTABLE, desc = "the job found it waiting")
  @Outcome(id = "by itself", expect = ACCEPTABLE, desc = "it found that its job was cancelled")
  @Outcome(id = "", expect = FORBIDDEN, desc = "lost: it waits, though its job is cancelled")
  @Outcome(expect = FORBIDDEN, desc = "resumed twice")
  @State
  public static class BeginAndCancel extends RegistrationUnderStress {
    private volatile boolean isJobCancelled;
    private String byJob = "";
    private String byItself = "";

    @Actor
    public void coroutine() {
      arm();
      byItself = isJobCancelled && cancel() ? "by itself" : "";
    }

    @Actor
    public void job() {
      isJobCancelled = true;
      byJob = cancel() ? "by the job" : "";
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = byJob + byItself;
    }
  }
}
