package dev.epoll;

import java.io.IOException;

/** The poller was closed before or during the call. */
public final class ClosedPollerException extends IOException {
  private static final long serialVersionUID = 1L;

  ClosedPollerException(String pollerName) {
    super("poller " + pollerName + " is closed");
  }
}
