package dev.epoll;

import dev.epoll.sys.Linux;
import java.io.IOException;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jspecify.annotations.Nullable;

/**
 * The registrations of one number, which stands for one file after the other: what several threads
 * do at once. {@link RegistrationSpecification} says what may come of it.
 */
@Param(name = "waiter", gen = IntGen.class, conf = "0:1")
public class RegistrationOperations extends PollerThreadOperations {
  private final List<Telling.Told> waiters = List.of(new Telling.Told(0), new Telling.Told(1));

  @Operation
  public String open() {
    return Telling.outcomeOf(
        () -> {
          Registration unused = core.registrations.open(FD);
          return "opened";
        });
  }

  /** Of whichever registration is the number's at that moment: another try if it no longer is. */
  @Operation
  public String close() {
    return Telling.outcomeOf(
        () -> {
          Registration registration;
          ClosedRegistrationException mine = new ClosedRegistrationException("by this operation");
          do {
            registration = core.registrations.find(FD);
            if (registration == null) {
              return "";
            }
            core.registrations.close(registration, () -> mine);
          } while (whyClosed(registration) != mine);
          return "";
        });
  }

  private static @Nullable IOException whyClosed(Registration registration) {
    try {
      registration.ensureOpen();
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  /** The same of an await. */
  @Operation(params = "waiter")
  public String arm(int waiter) {
    return Telling.outcomeOf(
        () -> {
          while (true) {
            Registration registration = core.registrations.find(FD);
            if (registration == null) {
              return "closed";
            }
            try {
              registration.arm(Interest.READABLE, waiters.get(waiter));
              return "waits";
            } catch (ClosedRegistrationException e) {
              // It has just been closed, or replaced.
            }
          }
        });
  }

  /** Behind the back of whoever has registered it. */
  @Operation
  public void closeFd() {
    core.kernel.closeFd(FD);
  }

  @Operation
  public void makeReady() {
    core.kernel.makeReady(FD, Linux.EPOLLIN);
  }

  /** Whether the number is in the kernel's set. */
  @Operation
  public boolean isWatched() {
    return core.kernel.watched().contains(FD);
  }
}
