package dev.epoll;

/** Whichever thread a driver, or who closes the poller, runs a round on. */
record DrivenThread(PollerDriver driver, PollerRounds rounds) implements PollerThread {
  @Override
  public void start() {
    driver.start(rounds);
  }

  @Override
  public boolean isCurrent() {
    return rounds.isInRound();
  }

  /** Whoever closes runs the last round, for the driver may wait for the very same thread. */
  @Override
  public void awaitEnd() {
    rounds.run();
  }
}
