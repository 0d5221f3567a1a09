package dev.epoll;

import java.nio.channels.ClosedChannelException;

/** The registration, or the descriptor it belongs to, was closed before or during the await. */
public final class ClosedRegistrationException extends ClosedChannelException {
  private static final long serialVersionUID = 1L;

  private final String message;

  ClosedRegistrationException(String message) {
    this.message = message;
  }

  @Override
  public String getMessage() {
    return message;
  }
}
