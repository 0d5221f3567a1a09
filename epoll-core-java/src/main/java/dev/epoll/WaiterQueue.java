package dev.epoll;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for what on one registration, in the order of their coming.
 *
 * <pre>
 *              add                  take (met by an event), drain (failure, close), remove (cancel)
 *   outside ---------&gt; waiting -----------------------------------------------------------------------&gt; outside
 * </pre>
 *
 * <p>Invariant: whoever takes a waiter out owns its one outcome, and tells it after letting go of
 * the lock.
 *
 * <p>Thread: every method under the registration's lock.
 */
final class WaiterQueue {
  private static final int INITIAL_CAPACITY = 2;

  private @Nullable Waiter[] waiters = new Waiter[INITIAL_CAPACITY];
  private int[] interests = new int[INITIAL_CAPACITY];
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  /** The union of what all wait for. */
  int wanted() {
    int mask = 0;
    for (int i = 0; i < size; i++) {
      mask |= interests[i];
    }
    return mask;
  }

  void add(Waiter waiter, int interestMask) {
    if (indexOf(waiter) >= 0) {
      throw new IllegalStateException(
          "this waiter waits on this registration already: arm another object, or cancel it");
    }
    if (size == waiters.length) {
      waiters = Arrays.copyOf(waiters, size * 2);
      interests = Arrays.copyOf(interests, size * 2);
    }
    waiters[size] = waiter;
    interests[size] = interestMask;
    size++;
  }

  /** Whether {@code waiter} was waiting and no longer is. */
  boolean remove(Waiter waiter) {
    int index = indexOf(waiter);
    if (index < 0) {
      return false;
    }
    int after = size - index - 1;
    System.arraycopy(waiters, index + 1, waiters, index, after);
    System.arraycopy(interests, index + 1, interests, index, after);
    waiters[--size] = null;
    return true;
  }

  /** Moves those whose interest is met by {@code eventMask} to {@code met}. */
  void take(int eventMask, Batch met) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      Waiter waiter = Objects.requireNonNull(waiters[i]);
      if (Interest.isMet(interests[i], eventMask)) {
        met.add(waiter);
      } else {
        waiters[kept] = waiter;
        interests[kept] = interests[i];
        kept++;
      }
    }
    Arrays.fill(waiters, kept, size, null);
    size = kept;
  }

  /** Moves all to {@code all}. */
  void drain(Batch all) {
    for (int i = 0; i < size; i++) {
      all.add(Objects.requireNonNull(waiters[i]));
    }
    Arrays.fill(waiters, 0, size, null);
    size = 0;
  }

  /** By identity: a waiter stands for one await, whatever its class takes for equal. */
  @SuppressWarnings("ReferenceEquality")
  private int indexOf(Waiter waiter) {
    for (int i = 0; i < size; i++) {
      if (waiters[i] == waiter) {
        return i;
      }
    }
    return -1;
  }

  /** Waiters that were taken out under the lock and are told after it. */
  static final class Batch {
    private @Nullable Waiter[] waiters = new Waiter[INITIAL_CAPACITY];
    private int size;

    private void add(Waiter waiter) {
      if (size == waiters.length) {
        waiters = Arrays.copyOf(waiters, size * 2);
      }
      waiters[size++] = waiter;
    }

    int size() {
      return size;
    }

    /** Tells every waiter in order, and empties the batch. */
    void ready(Readiness readiness) {
      int count = size;
      for (int i = 0; i < count; i++) {
        Waiter waiter = Objects.requireNonNull(waiters[i]);
        waiters[i] = null;
        try {
          waiter.ready(readiness);
        } catch (Throwable e) {
          report(waiter, e);
        }
      }
      size = 0;
    }

    /** Tells every waiter in order, and empties the batch. */
    void failed(FailureCause cause) {
      int count = size;
      for (int i = 0; i < count; i++) {
        Waiter waiter = Objects.requireNonNull(waiters[i]);
        waiters[i] = null;
        try {
          waiter.failed(cause.exception());
        } catch (Throwable e) {
          report(waiter, e);
        }
      }
      size = 0;
    }

    private static void report(Waiter waiter, Throwable e) {
      Log.error("a waiter threw, the others go on: " + waiter.getClass().getName(), e);
    }
  }
}
