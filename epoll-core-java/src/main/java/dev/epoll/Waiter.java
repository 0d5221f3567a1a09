package dev.epoll;

import java.io.IOException;

/**
 * Who is told of the end of one await. After a successful {@link Registration#arm} exactly one
 * thing happens, once: {@link #ready}, {@link #failed}, or a {@link Registration#cancel} that
 * returns true. A waiter that has been told may be armed again, also from inside these methods.
 *
 * <p>Thread: both methods run with no lock held, but the one that lets a poller with a {@link
 * PollerDriver} run one round at a time. They must not block, for they hold up every other await of
 * the poller. What they throw is reported to the log and harms nobody else.
 */
public interface Waiter {
  /** The fd is ready. Thread: the poller thread. */
  void ready(Readiness readiness);

  /**
   * The await ended without readiness. Thread: the poller thread, or the one that closed the
   * registration or armed it in vain.
   *
   * @param cause {@link ClosedRegistrationException}, {@link ClosedPollerException}, or a {@link
   *     SyscallException} for an fd that was closed while it was registered
   */
  void failed(IOException cause);
}
