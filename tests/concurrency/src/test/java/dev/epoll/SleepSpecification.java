package dev.epoll;

/** The operations of {@link SleepOperations}, none of which loses anything. */
public class SleepSpecification {
  public void post() {}

  public void fallAsleep() {}

  public boolean sleepsThroughATask() {
    return false;
  }
}
