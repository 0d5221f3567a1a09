package dev.epoll;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
  // The first has a place of its own, for most often it is the only one, and there may be very many
  // registrations. Invariant: there are others only while there is a first.
  private @Nullable Waiter first;
  private int firstInterest;
  private @Nullable List<Other> others;

  private record Other(Waiter waiter, int interest) {}

  boolean isEmpty() {
    return first == null;
  }

  int size() {
    return first == null ? 0 : 1 + others().size();
  }

  private List<Other> others() {
    return others == null ? List.of() : others;
  }

  /** The union of what all wait for. */
  int wanted() {
    if (first == null) {
      return 0;
    }
    int mask = firstInterest;
    if (others != null) {
      for (Other other : others) {
        mask |= other.interest;
      }
    }
    return mask;
  }

  void add(Waiter waiter, int interestMask) {
    if (first == null) {
      first = waiter;
      firstInterest = interestMask;
      return;
    }
    if (is(first, waiter) || others().stream().anyMatch(other -> is(other.waiter, waiter))) {
      throw new IllegalStateException(
          "this waiter waits on this registration already: arm another object, or cancel it");
    }
    if (others == null) {
      others = new ArrayList<>(1);
    }
    others.add(new Other(waiter, interestMask));
  }

  /** Whether {@code waiter} was waiting and no longer is. */
  boolean remove(Waiter waiter) {
    if (is(first, waiter)) {
      removeFirst();
      return true;
    }
    return others != null && others.removeIf(other -> is(other.waiter, waiter));
  }

  private void removeFirst() {
    if (others().isEmpty()) {
      first = null;
      others = null;
    } else {
      Other next = others().remove(0);
      first = next.waiter;
      firstInterest = next.interest;
    }
  }

  /** Moves those whose interest is met by {@code eventMask} to {@code met}. */
  void take(int eventMask, Batch met) {
    if (first == null) {
      return;
    }
    boolean isFirstMet = Interest.isMet(firstInterest, eventMask);
    if (isFirstMet) {
      met.add(first);
    }
    if (others != null) {
      others.removeIf(other -> isMoved(other, eventMask, met));
    }
    if (isFirstMet) {
      removeFirst();
    }
  }

  private static boolean isMoved(Other other, int eventMask, Batch met) {
    boolean isMet = Interest.isMet(other.interest, eventMask);
    if (isMet) {
      met.add(other.waiter);
    }
    return isMet;
  }

  /** Moves all to {@code all}. */
  void drain(Batch all) {
    if (first != null) {
      all.add(first);
      others().forEach(other -> all.add(other.waiter));
      first = null;
      others = null;
    }
  }

  /** By identity: a waiter stands for one await, whatever its class takes for equal. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean is(@Nullable Waiter one, Waiter other) {
    return one == other;
  }

  /** Waiters that were taken out under the lock and are told after it. */
  static final class Batch {
    private static final int INITIAL_CAPACITY = 2;
    private static final String THREW = "a waiter threw, the others go on";

    private @Nullable Waiter[] waiters = new Waiter[INITIAL_CAPACITY];
    private int size;
    private int told;

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
          Log.error(THREW, waiter.getClass().getName(), e);
        }
      }
      size = 0;
    }

    /** The same. */
    void failed(FailureCause cause) {
      int count = size;
      for (int i = 0; i < count; i++) {
        Waiter waiter = waiters[i];
        if (waiter == null) {
          continue; // told of readiness, before that broke off
        }
        waiters[i] = null;
        told++;
        try {
          waiter.failed(cause.exception());
        } catch (Throwable e) {
          Log.error(THREW, waiter.getClass().getName(), e);
        }
      }
      size = 0;
    }

    /** How many have been told of a failure. Ordering: plain; a reader may see a moment ago. */
    int told() {
      return told;
    }
  }
}
