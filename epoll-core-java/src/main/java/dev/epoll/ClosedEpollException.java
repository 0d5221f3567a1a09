package dev.epoll;

import java.io.IOException;

/** The {@link Epoll} was closed before or during the call. */
public final class ClosedEpollException extends IOException {
  private static final long serialVersionUID = 1L;

  ClosedEpollException() {
    super("this Epoll is closed");
  }
}
