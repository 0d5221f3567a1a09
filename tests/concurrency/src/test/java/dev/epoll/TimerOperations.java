package dev.epoll;

import java.io.IOException;
import java.util.Arrays;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jspecify.annotations.Nullable;

/**
 * Timers that any thread adds and cancels while the poller thread takes them out. {@link
 * TimerSpecification} says what may come of it.
 */
@Param(name = "owner", gen = ThreadIdGen.class)
@Param(name = "time", gen = IntGen.class, conf = "1:2")
public class TimerOperations {
  private final Timers timers = new Timers();

  /** By owner. */
  private final Cancellable[] lastTimers = new Cancellable[8];

  public TimerOperations() {
    Arrays.fill(lastTimers, (Cancellable) () -> false);
  }

  /** Whether it is the first to be due. */
  @Operation(params = {"owner", "time"})
  public String add(int owner, int time) {
    try {
      Timers.Added added = timers.add(time, new Named(owner + " at " + time));
      lastTimers[owner] = added.cancellable();
      return added.isFirst() ? "first" : "later";
    } catch (IOException e) {
      return "ended";
    }
  }

  /** The last of {@code owner}. */
  @Operation(params = "owner")
  public boolean cancel(int owner) {
    return lastTimers[owner].cancel();
  }

  @Operation(nonParallelGroup = "poller thread", params = "time")
  public @Nullable String takeDue(int time) {
    return nameOf(timers.takeDue(time));
  }

  @Operation(nonParallelGroup = "poller thread")
  public long nanosToFirst() {
    return timers.nanosToFirst(0);
  }

  @Operation(nonParallelGroup = "poller thread")
  public @Nullable String takeEnded() {
    return nameOf(timers.takeEnded(CoreUnderStress.CLOSED));
  }

  @Operation
  public int size() {
    return timers.size();
  }

  private static @Nullable String nameOf(Timers.@Nullable Action action) {
    return action == null ? null : ((Named) action).name;
  }

  private record Named(String name) implements Timers.Action {
    @Override
    public void due() {}

    @Override
    public void ended(IOException cause) {}
  }
}
