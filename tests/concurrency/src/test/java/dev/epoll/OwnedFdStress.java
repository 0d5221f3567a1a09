package dev.epoll;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.epoll.fd.OwnedFd;
import java.nio.channels.ClosedChannelException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A descriptor's number is closed once, and after that no call begins. */
public final class OwnedFdStress {
  private OwnedFdStress() {}

  private static String call(OwnedFd fd) {
    try {
      fd.acquire();
    } catch (ClosedChannelException e) {
      return "refused";
    }
    fd.release();
    return "called";
  }

  /** A call begins while somebody closes. */
  @JCStressTest
  @Outcome(id = "called, closed", expect = ACCEPTABLE, desc = "the call came first")
  @Outcome(id = "refused, closed", expect = ACCEPTABLE, desc = "the close came first")
  @Outcome(expect = FORBIDDEN, desc = "a close that did nothing, or was undone")
  @State
  public static class CallAndClose {
    private final OwnedFd fd = OwnedFd.borrowed(7);
    private String call = "";
    private boolean isClosed;

    @Actor
    public void caller() {
      call = call(fd);
    }

    @Actor
    public void closer() {
      isClosed = fd.close();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = call + (isClosed && !fd.isOpen() && call(fd).equals("refused") ? ", closed" : "");
    }
  }

  /** Two close. */
  @JCStressTest
  @Outcome(id = "one", expect = ACCEPTABLE, desc = "one of the two has closed it")
  @Outcome(expect = FORBIDDEN, desc = "closed twice, or by nobody")
  @State
  public static class CloseAndClose {
    private final OwnedFd fd = OwnedFd.borrowed(7);
    private boolean first;
    private boolean second;

    @Actor
    public void one() {
      first = fd.close();
    }

    @Actor
    public void other() {
      second = fd.close();
    }

    @Arbiter
    public void outcome(L_Result result) {
      result.r1 = first && second ? "both" : first || second ? "one" : "neither";
    }
  }
}
