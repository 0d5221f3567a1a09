package dev.epoll.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The memory into which a downcall stores errno before anything else can change it.
 *
 * <p>A platform thread keeps one piece for life, also while it blocks in epoll_wait. Virtual
 * threads are many and short, so they borrow from places shared by thread id, as {@link
 * ScratchMemory} does; a place found empty costs one allocation.
 */
final class ErrnoCapture {
  static final Linker.Option OPTION = Linker.Option.captureCallState("errno");

  private static final StructLayout LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> OF_PLATFORM_THREAD =
      ThreadLocal.withInitial(ErrnoCapture::allocate);
  private static final int PLACES = 64;
  private static final AtomicReferenceArray<MemorySegment> places =
      new AtomicReferenceArray<>(PLACES);

  private ErrnoCapture() {}

  static MemorySegment take() {
    Thread thread = Thread.currentThread();
    if (!thread.isVirtual()) {
      return OF_PLATFORM_THREAD.get();
    }
    MemorySegment segment = places.getAndSet(place(thread), null);
    return segment == null ? allocate() : segment;
  }

  static int errno(MemorySegment captured) {
    return (int) ERRNO.get(captured, 0L);
  }

  static void giveBack(MemorySegment captured) {
    Thread thread = Thread.currentThread();
    if (thread.isVirtual()) {
      places.setRelease(place(thread), captured);
    }
  }

  private static MemorySegment allocate() {
    return Arena.ofAuto().allocate(LAYOUT);
  }

  private static int place(Thread thread) {
    return (int) thread.threadId() & (PLACES - 1);
  }
}
