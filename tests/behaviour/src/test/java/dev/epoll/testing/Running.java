package dev.epoll.testing;

import dev.epoll.Registration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A call under way in a thread of its own. Its end is waited for with a failing limit. */
public final class Running<T> {
  private static final int LIMIT_SECONDS = 30;

  private final FutureTask<T> task;
  private final Thread thread;
  private volatile boolean interruptedAtEnd;

  private Running(ThreadKind kind, Callable<T> call) {
    this.task =
        new FutureTask<>(
            () -> {
              try {
                return call.call();
              } finally {
                interruptedAtEnd = Thread.currentThread().isInterrupted();
              }
            });
    this.thread = kind.start(task);
  }

  public static <T> Running<T> on(ThreadKind kind, Callable<T> call) {
    return new Running<>(kind, call);
  }

  /** On a platform thread. */
  public static <T> Running<T> of(Callable<T> call) {
    return on(ThreadKind.PLATFORM, call);
  }

  /** Returns once somebody waits on {@code registration}. */
  public Running<T> waitingOn(Registration registration) {
    Eventually.until(
        "somebody waits on fd " + registration.fd(), () -> isDone() || waiters(registration) > 0);
    return this;
  }

  private static int waiters(Registration registration) {
    return registration.poller().snapshot().registrations().stream()
        .filter(watched -> watched.fd() == registration.fd())
        .mapToInt(watched -> watched.waiters())
        .sum();
  }

  public boolean isDone() {
    return task.isDone();
  }

  public void interrupt() {
    thread.interrupt();
  }

  /** Whether the thread's interrupt status was set when the call ended. */
  public boolean interruptedAtEnd() {
    return interruptedAtEnd;
  }

  public T result() throws Exception {
    try {
      return task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } catch (TimeoutException e) {
      throw new AssertionError("still running: " + String.join("\n ", stack()), e);
    }
  }

  /** What the call threw; fails if it returned. */
  public Throwable failure() throws Exception {
    try {
      throw new AssertionError("returned " + task.get(LIMIT_SECONDS, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (TimeoutException e) {
      throw new AssertionError("still running: " + String.join("\n ", stack()), e);
    }
  }

  private String[] stack() {
    return Arrays.stream(thread.getStackTrace()).map(Object::toString).toArray(String[]::new);
  }
}
