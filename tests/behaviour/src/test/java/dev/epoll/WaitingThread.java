package dev.epoll;

import dev.epoll.testing.Eventually;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** A thread inside waitForEvents, and what comes of it. */
final class WaitingThread {
  private static final AtomicInteger started = new AtomicInteger();

  private final FutureTask<Integer> outcome;
  private final Thread thread;

  private WaitingThread(Callable<Integer> wait) {
    outcome = new FutureTask<>(wait);
    thread = new Thread(outcome, "wait-" + started.incrementAndGet());
    thread.setDaemon(true);
    thread.start();
  }

  /** A thread that runs {@code waits}. */
  static WaitingThread of(Callable<Integer> waits) {
    return new WaitingThread(waits);
  }

  /** A thread that is asleep in {@code wait} on {@code epoll}. */
  static WaitingThread in(Epoll epoll, Callable<Integer> wait) {
    WaitingThread waiting = new WaitingThread(wait);
    Eventually.until("it waits", () -> epoll.toString().contains("WAITING") || waiting.isOver());
    Eventually.asleepInKernel(waiting.name());
    return waiting;
  }

  /** A thread that is asleep in a wait for ever. */
  static WaitingThread in(Epoll epoll) {
    return in(epoll, epoll::waitForEvents);
  }

  String name() {
    return thread.getName();
  }

  boolean isOver() {
    return outcome.isDone();
  }

  /** What the wait returned. */
  int count() throws Exception {
    return outcome.get(20, TimeUnit.SECONDS);
  }

  /** What the wait threw. */
  Throwable failure() throws InterruptedException, TimeoutException {
    try {
      throw new AssertionError("the wait returned " + outcome.get(20, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      return e.getCause();
    }
  }
}
