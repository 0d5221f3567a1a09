package dev.epoll;

import org.jspecify.annotations.Nullable;

/** A daemon thread that runs rounds until there are no more, and sleeps in epoll_wait. */
final class DedicatedThread implements PollerThread {
  private final Poller poller;
  private final Thread thread;

  private final @Nullable Watchdog watchdog;

  DedicatedThread(PollerConfig config, Poller poller) {
    this.poller = poller;
    // Nothing of whoever happens to open it: neither thread locals nor the class loader.
    thread = new Thread(null, this::runRounds, config.threadName(), 0, false);
    thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
    thread.setDaemon(true);
    watchdog =
        config.stallLimit() == null
            ? null
            : new Watchdog(thread, config.stallLimit(), poller::progress);
  }

  private void runRounds() {
    while (!poller.hasEnded()) {
      poller.round(EpollFd.FOREVER);
    }
    poller.finish();
  }

  @Override
  public void start() {
    thread.start();
    if (watchdog != null) {
      watchdog.start();
    }
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
