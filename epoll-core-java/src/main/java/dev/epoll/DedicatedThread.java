package dev.epoll;

/** A daemon thread that runs rounds until there are no more, and sleeps in epoll_wait. */
final class DedicatedThread implements PollerThread {
  private final Thread thread;
  private final Runnable rounds;

  DedicatedThread(String name, Runnable rounds) {
    this.rounds = rounds;
    // Nothing of whoever happens to open it: neither thread locals nor the class loader.
    thread = new Thread(null, rounds, name, 0, false);
    thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
    thread.setDaemon(true);
  }

  @Override
  public void start() {
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
      rounds.run();
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
