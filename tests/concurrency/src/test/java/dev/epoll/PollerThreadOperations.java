package dev.epoll;

import org.jetbrains.lincheck.datastructures.Operation;

/** What the poller thread does while others do the operations of a subclass, all on one number. */
public abstract class PollerThreadOperations {
  static final int FD = 7;

  final Core core = new Core();

  @Operation(nonParallelGroup = "poller thread")
  public void harvest() {
    core.kernel.harvest();
  }

  @Operation(nonParallelGroup = "poller thread")
  public String round() {
    return Telling.outcomeOf(
        () -> {
          boolean ignored = core.loop.round(0);
          return "";
        });
  }
}
