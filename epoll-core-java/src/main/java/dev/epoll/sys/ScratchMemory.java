package dev.epoll.sys;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory that is borrowed for the length of one non-blocking call: structs that a call reads
 * or fills, and the bytes of heap buffers, which have no native address.
 *
 * <p>One place per bucket of thread ids, so that threads rarely meet; who finds its place empty
 * allocates, and who finds it filled on return lets the garbage collector have the surplus. A
 * {@code ThreadLocal} would give every virtual thread a buffer of its own for life.
 *
 * <p>Invariant: nobody parks between {@link #take} and {@link #giveBack}, so a carrier borrows at
 * most one at a time.
 */
public final class ScratchMemory {
  /**
   * Bytes that one borrowed piece holds: the largest UDP message and the structs in front of it. A
   * heap buffer is moved in pieces of at most this size.
   */
  public static final int SIZE = 68 * 1024;

  private static final int PLACES = 64;
  private static final AtomicReferenceArray<NativeMemory> places =
      new AtomicReferenceArray<>(PLACES);

  private ScratchMemory() {}

  /** Memory of {@link #SIZE} bytes, whose contents are whatever the last borrower left. */
  public static NativeMemory take(Syscalls syscalls) {
    NativeMemory memory = places.getAndSet(place(), null);
    return memory == null ? NativeMemory.allocate(syscalls, SIZE) : memory;
  }

  /** Ends a borrowing; the caller must not touch {@code memory} afterwards. */
  public static void giveBack(NativeMemory memory) {
    places.setRelease(place(), memory);
  }

  private static int place() {
    return (int) Thread.currentThread().getId() & (PLACES - 1);
  }
}
