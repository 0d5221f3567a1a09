package dev.epoll;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/**
 * An await as a future. Whoever completes it first decides; completed from outside, the await is
 * cancelled.
 */
final class ReadinessFuture extends CompletableFuture<Readiness> implements Waiter {
  private ReadinessFuture() {}

  static CompletableFuture<Readiness> of(Registration registration, Interest interest) {
    ReadinessFuture future = new ReadinessFuture();
    try {
      registration.arm(interest, future);
    } catch (IOException e) {
      future.completeExceptionally(e);
      return future;
    }
    // Runs at once if the outcome came first; then, as after every outcome of the poller's, there
    // is nothing to cancel.
    var unused = future.whenComplete((readiness, failure) -> registration.cancel(future));
    return future;
  }

  /**
   * Stages that are made from this one are plain futures: completing them does not end the await.
   */
  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    return new CompletableFuture<>();
  }

  @Override
  public void ready(Readiness readiness) {
    complete(readiness);
  }

  @Override
  public void failed(IOException cause) {
    completeExceptionally(cause);
  }
}
