package dev.epoll.sys;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The memory into which a downcall stores errno before anything else can change it.
 *
 * <p>A platform thread keeps one piece for life, also while it blocks in epoll_wait. Virtual
 * threads are many and short, so they borrow from places shared by thread id, as {@link
 * ScratchMemory} does; a place found empty costs one allocation.
 */
final class ErrnoCapture {
  static final Linker.Option OPTION = Linker.Option.captureCallState("errno");

  private static final ThreadLocal<@Nullable ErrnoCapture> OF_PLATFORM_THREAD = new ThreadLocal<>();
  private static final int PLACES = 64;
  private static final AtomicReferenceArray<@Nullable ErrnoCapture> places =
      new AtomicReferenceArray<>(PLACES);

  // Read as a buffer, as all native memory is here: the first access to a segment takes the JDK
  // milliseconds. On Linux errno is all that a downcall can capture.
  private final ByteBuffer captured =
      ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());

  /** What to pass to the downcall. */
  final MemorySegment segment = MemorySegment.ofBuffer(captured);

  private ErrnoCapture() {}

  static ErrnoCapture take() {
    Thread thread = Thread.currentThread();
    if (thread.isVirtual()) {
      ErrnoCapture borrowed = places.getAndSet(place(thread), null);
      return borrowed == null ? new ErrnoCapture() : borrowed;
    }
    ErrnoCapture own = OF_PLATFORM_THREAD.get();
    if (own == null) {
      own = new ErrnoCapture();
      OF_PLATFORM_THREAD.set(own);
    }
    return own;
  }

  void giveBack() {
    Thread thread = Thread.currentThread();
    if (thread.isVirtual()) {
      places.setRelease(place(thread), this);
    }
  }

  /** What the last downcall stored. */
  int errno() {
    return captured.getInt(0);
  }

  private static int place(Thread thread) {
    return (int) thread.threadId() & (PLACES - 1);
  }
}
