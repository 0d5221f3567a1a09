package dev.epoll;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Slot to live object. Knows nothing of what it holds.
 *
 * <p>Thread: {@link #allocate} and {@link #free} under the owner's lock; {@link #find} from any
 * thread, without it.
 */
final class TokenTable<T> {
  private static final int INITIAL_SLOTS = 64;

  /**
   * Ordering: replaced by a longer copy under the owner's lock; a stale reference only misses what
   * came later.
   */
  private volatile AtomicReferenceArray<@Nullable T> slots =
      new AtomicReferenceArray<>(INITIAL_SLOTS);

  private int[] lastSequences = new int[INITIAL_SLOTS];
  private int[] freeSlots = new int[INITIAL_SLOTS];
  private int freeCount;
  private int neverUsed;

  /** A slot that holds nothing yet. */
  int allocate() {
    if (freeCount > 0) {
      return freeSlots[--freeCount];
    }
    if (neverUsed == lastSequences.length) {
      grow();
    }
    return neverUsed++;
  }

  private void grow() {
    AtomicReferenceArray<@Nullable T> old = slots;
    AtomicReferenceArray<@Nullable T> longer =
        new AtomicReferenceArray<>(Math.multiplyExact(old.length(), 2));
    for (int i = 0; i < old.length(); i++) {
      longer.setPlain(i, old.getPlain(i));
    }
    lastSequences = Arrays.copyOf(lastSequences, longer.length());
    freeSlots = Arrays.copyOf(freeSlots, longer.length());
    slots = longer;
  }

  /** The sequence number that the slot's last owner ended with. */
  int lastSequence(int slot) {
    return lastSequences[slot];
  }

  void put(int slot, T owner) {
    slots.setRelease(slot, owner);
  }

  /** Ends an ownership; {@code lastSequence} is where the next owner's sequence goes on. */
  void free(int slot, int lastSequence) {
    slots.setRelease(slot, null);
    lastSequences[slot] = lastSequence;
    freeSlots[freeCount++] = slot;
  }

  /** The owner of {@code slot}, or null. */
  @Nullable T find(int slot) {
    AtomicReferenceArray<@Nullable T> current = slots;
    return slot >= 0 && slot < current.length() ? current.getAcquire(slot) : null;
  }
}
