package dev.epoll;

import java.io.IOException;

/**
 * Why an await fails, or why there will be none, as the exception that says so: a new one for each
 * who is told, because an exception collects stack traces and suppressed ones of its own.
 */
@FunctionalInterface
interface FailureCause {
  FailureCause CLOSED_REGISTRATION =
      () -> new ClosedRegistrationException("the registration is closed");

  FailureCause FD_REPLACED =
      () ->
          new ClosedRegistrationException(
              "the fd was closed while it was registered, and its number was registered anew:"
                  + " close a registration before its fd");

  IOException exception();
}
