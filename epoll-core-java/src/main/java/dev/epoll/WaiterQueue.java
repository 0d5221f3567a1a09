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

  // The first has a place of its own, for most often it is the only one, and there may be very many
  // registrations.
  private @Nullable Waiter first;
  private int firstInterest;
  private @Nullable Waiter @Nullable [] others;
  private int @Nullable [] otherInterests;
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
      mask |= interest(i);
    }
    return mask;
  }

  void add(Waiter waiter, int interestMask) {
    if (indexOf(waiter) >= 0) {
      throw new IllegalStateException(
          "this waiter waits on this registration already: arm another object, or cancel it");
    }
    put(size, waiter, interestMask);
    size++;
  }

  /** Whether {@code waiter} was waiting and no longer is. */
  boolean remove(Waiter waiter) {
    int index = indexOf(waiter);
    if (index < 0) {
      return false;
    }
    for (int i = index + 1; i < size; i++) {
      put(i - 1, waiter(i), interest(i));
    }
    shrinkTo(size - 1);
    return true;
  }

  /** Moves those whose interest is met by {@code eventMask} to {@code met}. */
  void take(int eventMask, Batch met) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (Interest.isMet(interest(i), eventMask)) {
        met.add(waiter(i));
      } else {
        put(kept++, waiter(i), interest(i));
      }
    }
    shrinkTo(kept);
  }

  /** Moves all to {@code all}. */
  void drain(Batch all) {
    for (int i = 0; i < size; i++) {
      all.add(waiter(i));
    }
    shrinkTo(0);
  }

  private Waiter waiter(int index) {
    return Objects.requireNonNull(index == 0 ? first : Objects.requireNonNull(others)[index - 1]);
  }

  private int interest(int index) {
    return index == 0 ? firstInterest : Objects.requireNonNull(otherInterests)[index - 1];
  }

  private void put(int index, Waiter waiter, int interestMask) {
    if (index == 0) {
      first = waiter;
      firstInterest = interestMask;
    } else {
      ensureCapacity(index);
      Objects.requireNonNull(others)[index - 1] = waiter;
      Objects.requireNonNull(otherInterests)[index - 1] = interestMask;
    }
  }

  private void ensureCapacity(int count) {
    if (others == null || otherInterests == null) {
      others = new Waiter[INITIAL_CAPACITY];
      otherInterests = new int[INITIAL_CAPACITY];
    } else if (count > others.length) {
      @Nullable Waiter[] longer = Arrays.copyOf(others, others.length * 2);
      otherInterests = Arrays.copyOf(otherInterests, longer.length);
      others = longer;
    }
  }

  private void shrinkTo(int newSize) {
    if (newSize == 0) {
      first = null;
    }
    if (others != null) {
      for (int i = Math.max(newSize, 1); i < size; i++) {
        others[i - 1] = null;
      }
    }
    size = newSize;
  }

  /** By identity: a waiter stands for one await, whatever its class takes for equal. */
  @SuppressWarnings("ReferenceEquality")
  private int indexOf(Waiter waiter) {
    for (int i = 0; i < size; i++) {
      if (waiter(i) == waiter) {
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
