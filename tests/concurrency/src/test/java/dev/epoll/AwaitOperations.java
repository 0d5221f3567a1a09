package dev.epoll;

import dev.epoll.sys.Linux;
import java.io.IOException;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;

/**
 * The awaits of one registration: what several threads do at once. {@link AwaitSpecification} says
 * what may come of it.
 */
@Param(name = "waiter", gen = IntGen.class, conf = "0:2")
@Param(name = "readiness", gen = IntGen.class, conf = "0:2")
public class AwaitOperations extends PollerThreadOperations {
  /** Of waiter 0 to 2: two wait for the same, one for something else. */
  static final List<Interest> INTERESTS =
      List.of(Interest.READABLE, Interest.READABLE, Interest.WRITABLE);

  static final List<Integer> READINESS =
      List.of(Interest.READABLE.mask, Interest.WRITABLE.mask, Linux.EPOLLHUP);

  private final Registration registration;
  private final List<Telling.Told> waiters =
      List.of(new Telling.Told(0), new Telling.Told(1), new Telling.Told(2));

  /** What the reader saw when it last looked. */
  private int edges = -1;

  public AwaitOperations() throws IOException {
    registration = core.registrations.open(FD);
  }

  @Operation(params = "waiter")
  public String arm(int waiter) {
    return Telling.outcomeOf(
        () -> {
          registration.arm(INTERESTS.get(waiter), waiters.get(waiter));
          return "waits";
        });
  }

  @Operation(nonParallelGroup = "reader")
  public void lookAtEdges() {
    edges = registration.edges();
  }

  @Operation(params = "waiter", nonParallelGroup = "reader")
  public String armAfter(int waiter) {
    return Telling.outcomeOf(
        () ->
            registration.armAfter(edges, INTERESTS.get(waiter), waiters.get(waiter))
                ? "waits"
                : "try again");
  }

  @Operation(params = "waiter")
  public boolean cancel(int waiter) {
    return registration.cancel(waiters.get(waiter));
  }

  @Operation(params = "readiness")
  public void makeReady(int readiness) {
    core.kernel.makeReady(FD, READINESS.get(readiness));
  }

  @Operation
  public String close() {
    return Telling.outcomeOf(
        () -> {
          registration.close();
          return "";
        });
  }
}
