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
 * Bytes come, and their edge, while a reader finds that there are none and awaits them. There will
 * be no other edge.
 */
@JCStressTest
@Outcome(id = "has read", expect = ACCEPTABLE, desc = "they were there")
@Outcome(id = "tries again", expect = ACCEPTABLE, desc = "their edge came after the read")
@Outcome(id = "told", expect = ACCEPTABLE, desc = "their edge came after the await began")
@Outcome(id = "waits", expect = FORBIDDEN, desc = "lost: there are bytes, and the reader waits")
@State
public class EdgeStress extends RegistrationUnderStress.EdgeTriggered {
  private volatile boolean hasBytes;
  private String reader = "";

  @Actor
  public void kernelAndPoller() {
    hasBytes = true;
    event();
  }

  @Actor
  public void reader() {
    int edges = registration.edges();
    reader = hasBytes ? "has read" : armAfter(edges) ? "waits" : "tries again";
  }

  @Arbiter
  public void outcome(L_Result result) {
    boolean isTold = reader.equals("waits") && await.outcomes().equals("ready");
    result.r1 = isTold ? "told" : reader;
  }
}
