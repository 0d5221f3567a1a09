package dev.epoll;

import java.io.IOException;

/**
 * Why there will be no further await, as the exception that says so. A new one each time, for its
 * stack trace.
 */
@FunctionalInterface
interface EndReason {
  EndReason CLOSED_REGISTRATION =
      () -> new ClosedRegistrationException("the registration is closed");

  EndReason FD_REPLACED =
      () ->
          new ClosedRegistrationException(
              "the fd was closed while it was registered, and its number was registered anew:"
                  + " close a registration before its fd");

  IOException exception();
}
