package dev.epoll;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread, virtual or platform, that parks until its await ends.
 *
 * <pre>
 *   WAITING --- ready ---&gt; readiness set     --- failed ---&gt; failure set     (then unpark)
 *      `------- interrupt or end of time, and cancel returned true
 * </pre>
 */
final class ThreadWaiter implements Waiter {
  private final Thread thread = Thread.currentThread();
  private volatile @Nullable Readiness readiness;
  private volatile @Nullable IOException failure;

  private ThreadWaiter() {}

  static Readiness await(Registration registration, Registration.Arming arming, long timeoutNanos)
      throws IOException, InterruptedException {
    if (registration.poller().inPollerThread()) {
      throw new IllegalStateException(
          "blockUntil on the poller thread would wait for itself: call it from another thread, or"
              + " use arm or whenReady");
    }
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    long deadline = timeoutNanos == EpollFd.FOREVER ? 0 : System.nanoTime() + timeoutNanos;
    ThreadWaiter waiter = new ThreadWaiter();
    if (!arming.arm(waiter)) {
      return Readiness.NONE;
    }
    boolean interrupted = false;
    while (waiter.isWaiting()) {
      // Once the poller thread has taken the waiter out of the queue its outcome is on the way, and
      // it wins.
      if (Thread.interrupted()) {
        if (registration.cancel(waiter)) {
          throw new InterruptedException();
        }
        interrupted = true;
      } else if (timeoutNanos == EpollFd.FOREVER) {
        LockSupport.park(registration);
      } else {
        long remaining = deadline - System.nanoTime();
        if (remaining <= 0 && registration.cancel(waiter)) {
          return Readiness.NONE;
        }
        LockSupport.parkNanos(registration, Math.max(remaining, 1));
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    // Whoever closed it since may have closed the fd too, and its number may have a new owner.
    Readiness readiness = waiter.outcome();
    registration.ensureOpen();
    return readiness;
  }

  private boolean isWaiting() {
    return readiness == null && failure == null;
  }

  private Readiness outcome() throws IOException {
    IOException cause = failure;
    if (cause != null) {
      throw cause;
    }
    return Objects.requireNonNull(readiness);
  }

  @Override
  public void ready(Readiness reported) {
    readiness = reported;
    LockSupport.unpark(thread);
  }

  @Override
  public void failed(IOException cause) {
    failure = cause;
    LockSupport.unpark(thread);
  }
}
