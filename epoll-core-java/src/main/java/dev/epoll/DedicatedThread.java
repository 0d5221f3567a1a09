package dev.epoll;

import org.jspecify.annotations.Nullable;

/** A daemon thread that runs rounds until there are no more, and sleeps in epoll_wait. */
final class DedicatedThread implements PollerThread {
  private final Poller poller;
  private final Thread thread;
  private final @Nullable Watchdog watchdog;

  DedicatedThread(PollerConfig config, Poller poller) {
    this.poller = poller;
    thread = daemon(config.threadName(), this::runRounds);
    watchdog =
        config.stallLimit() == null
            ? null
            : new Watchdog(thread, config.stallLimit(), poller::progress);
  }

  /** A thread with nothing of whoever makes it: neither thread locals nor the class loader. */
  static Thread daemon(String name, Runnable body) {
    Thread thread = new Thread(null, body, name, 0, false);
    thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
    thread.setDaemon(true);
    return thread;
  }

  private void runRounds() {
    try {
      while (!poller.hasEnded()) {
        poller.round(EpollFd.FOREVER);
      }
      poller.finish();
    } finally {
      if (watchdog != null) {
        watchdog.end();
      }
    }
  }

  /** The watchdog first: if it cannot be started, no round has begun that somebody had to end. */
  @Override
  public void start() {
    if (watchdog != null) {
      watchdog.start();
    }
    thread.start();
  }

  @Override
  public boolean isCurrent() {
    return thread.equals(Thread.currentThread());
  }

  @Override
  public void awaitEnd() {
    if (thread.getState() == Thread.State.NEW) {
      // It could not be started, so the last round is for whoever waits for it.
      runRounds();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
