package dev.epoll.fd;

import java.io.IOException;

/**
 * The clock of a timer that asked to be told was set, so that its expiry may no longer be the one
 * that was meant. The timer stays usable; see {@link TimerFd.OnClockSet#CANCEL}.
 */
public final class ClockSetException extends IOException {
  private static final long serialVersionUID = 1L;

  ClockSetException(int fd, IOException cause) {
    super("the clock of the timer on fd " + fd + " was set: set the timer again", cause);
  }
}
