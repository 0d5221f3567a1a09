package dev.epoll;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Options of a {@link Poller}.
 *
 * @param threadName the name of the poller, and of its thread if it has one of its own
 * @param batchSize how many events the first wait can return; doubled when a wait returns that many
 * @param maxBatchSize how far it may be doubled
 * @param tasksPerRound how many tasks, and how many timers, run before the poller looks for events
 *     again
 * @param stallLimit how long an event, a timer or a task may keep the poller's thread, with all
 *     whom it resumes, before that is logged, once, with the thread's stack; null for as long as it
 *     likes. Watching takes a thread, and costs the poller nothing. A poller that a {@link
 *     PollerDriver} runs is not watched
 */
public record PollerConfig(
    String threadName,
    int batchSize,
    int maxBatchSize,
    int tasksPerRound,
    @Nullable Duration stallLimit) {
  private static final PollerConfig DEFAULTS = new PollerConfig("epoll-poller", 64, 64, 1024, null);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a number or the limit is not positive, or {@code
   *     maxBatchSize} less than {@code batchSize}
   */
  public PollerConfig {
    Objects.requireNonNull(threadName, "threadName");
    if (batchSize < 1 || tasksPerRound < 1) {
      throw new IllegalArgumentException(
          "batchSize is %d and tasksPerRound %d: give 1 or more"
              .formatted(batchSize, tasksPerRound));
    }
    if (maxBatchSize < batchSize || maxBatchSize > 1 << 20) {
      throw new IllegalArgumentException(
          "maxBatchSize is %d: give a number from batchSize, %d, to %d"
              .formatted(maxBatchSize, batchSize, 1 << 20));
    }
    if (stallLimit != null && (stallLimit.isNegative() || stallLimit.isZero())) {
      throw new IllegalArgumentException(
          "stallLimit is " + stallLimit + ": give more than zero, or null not to watch");
    }
  }

  /**
   * Called {@code epoll-poller}, batches of 64 events, 1024 tasks per round. Batches are small, so
   * that what the kernel has just looked at is still in the processor's cache when it is read.
   */
  public static PollerConfig defaults() {
    return DEFAULTS;
  }

  /** The same with another name. */
  public PollerConfig withThreadName(String name) {
    return new PollerConfig(name, batchSize, maxBatchSize, tasksPerRound, stallLimit);
  }

  /** The same with other sizes of a batch. */
  public PollerConfig withBatchSize(int first, int max) {
    return new PollerConfig(threadName, first, max, tasksPerRound, stallLimit);
  }

  /** The same with another number of tasks per round. */
  public PollerConfig withTasksPerRound(int tasks) {
    return new PollerConfig(threadName, batchSize, maxBatchSize, tasks, stallLimit);
  }

  /** The same, and logs whatever keeps the poller's thread longer than {@code limit}. */
  public PollerConfig withStallLimit(Duration limit) {
    return new PollerConfig(
        threadName, batchSize, maxBatchSize, tasksPerRound, Objects.requireNonNull(limit, "limit"));
  }
}
