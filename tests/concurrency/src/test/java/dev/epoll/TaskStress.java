package dev.epoll;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A task is posted while the poller ends. */
@JCStressTest
@Outcome(id = "accepted, ran 1", expect = ACCEPTABLE, desc = "it came in time")
@Outcome(id = "refused, ran 0", expect = ACCEPTABLE, desc = "it came too late, and was told so")
@Outcome(id = "accepted, ran 0", expect = FORBIDDEN, desc = "lost: accepted, and nobody runs it")
@Outcome(id = "refused, ran 1", expect = FORBIDDEN, desc = "it ran, and its poster thinks not")
@State
public class TaskStress extends CoreUnderStress {
  private boolean isAccepted;
  private int runs;

  @Actor
  public void poster() {
    isAccepted = loop.post(() -> runs++);
  }

  @Actor
  public void poller() {
    loop.finish(CLOSED);
  }

  @Arbiter
  public void outcome(L_Result result) {
    result.r1 = (isAccepted ? "accepted" : "refused") + ", ran " + runs;
  }
}
