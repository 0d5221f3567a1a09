package dev.epoll;

import dev.epoll.sys.Linux;
import java.util.Arrays;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jspecify.annotations.Nullable;

/**
 * Awaits by number, which share a registration: what several threads do at once. {@link
 * SharedAwaitSpecification} says what may come of it.
 *
 * <p>In random scenarios each thread cancels its own awaits only, and nobody asks for what has a
 * meaning only once no call is under way: whether a registration is left.
 */
@Param(name = "waiter", gen = ThreadIdGen.class)
public class SharedAwaitOperations extends PollerThreadOperations {
  private final SharedAwaits awaits = new SharedAwaits(core.registrations);

  /** By waiter. */
  private final Cancellable[] lastAwaits = new Cancellable[8];

  private @Nullable Registration registration;

  public SharedAwaitOperations() {
    Arrays.fill(lastAwaits, (Cancellable) () -> false);
  }

  @Operation(params = "waiter")
  public String arm(int waiter) {
    return Telling.outcomeOf(
        () -> {
          lastAwaits[waiter] = awaits.arm(FD, Interest.READABLE, new Telling.Told(waiter));
          return "waits";
        });
  }

  /** The last await of {@code waiter}. */
  @Operation(params = "waiter")
  public boolean cancel(int waiter) {
    return lastAwaits[waiter].cancel();
  }

  @Operation
  public void closeFd() {
    core.kernel.closeFd(FD);
  }

  @Operation
  public void makeReady() {
    core.kernel.makeReady(FD, Linux.EPOLLIN);
  }

  /** Somebody registers the number for himself. */
  public String open() {
    return Telling.outcomeOf(
        () -> {
          registration = core.registrations.open(FD);
          return "opened";
        });
  }

  /** What {@link #open} has registered last. */
  public String close() {
    return Telling.outcomeOf(
        () -> {
          if (registration != null) {
            registration.close();
          }
          return "";
        });
  }

  public boolean isWatched() {
    return core.kernel.watched().contains(FD);
  }
}
