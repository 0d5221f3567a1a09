package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class NativeMemoryTest {
  private final Syscalls syscalls = Backend.syscalls();

  @Test
  void memoryIsZeroedDirectAndInNativeOrder() {
    NativeMemory memory = NativeMemory.allocate(syscalls, 64);
    assertTrue(memory.buffer().isDirect());
    assertEquals(ByteOrder.nativeOrder(), memory.buffer().order());
    assertEquals(64, memory.buffer().capacity());
    assertEquals(ByteBuffer.allocate(64), memory.buffer());
    assertEquals(syscalls.addressOf(memory.buffer()), memory.address());
  }

  @Test
  void scratchMemoryThatIsTakenTwiceIsTwoPieces() {
    NativeMemory first = ScratchMemory.take(syscalls);
    NativeMemory second = ScratchMemory.take(syscalls);
    assertNotSame(first, second);
    assertEquals(ScratchMemory.SIZE, second.buffer().capacity());
    ScratchMemory.giveBack(first);
    ScratchMemory.giveBack(second);
  }

  @Test
  void scratchMemoryThatWasGivenBackIsTakenAgain() {
    NativeMemory memory = ScratchMemory.take(syscalls);
    ScratchMemory.giveBack(memory);
    assertSame(memory, ScratchMemory.take(syscalls));
    ScratchMemory.giveBack(memory);
  }

  @Test
  void aTimespecHoldsSecondsAndNanos() {
    EventBuffer events = new EventBuffer(syscalls, 1);
    assertTimespec(events, 0, 0, 0);
    assertTimespec(events, 999_999_999, 0, 999_999_999);
    assertTimespec(events, 1_000_000_000, 1, 0);
    assertTimespec(events, Long.MAX_VALUE, 9_223_372_036L, 854_775_807);
  }

  private void assertTimespec(EventBuffer events, long nanos, long seconds, long rest) {
    try (Seam seam = new Seam(syscalls)) {
      int[] pipe = seam.pipe(Linux.O_CLOEXEC);
      assertEquals(16, syscalls.write(pipe[1], events.timespec(nanos), 16));
      assertEquals(seconds, seam.readLong(pipe[0]));
      assertEquals(rest, seam.readLong(pipe[0]));
    } finally {
      Reference.reachabilityFence(events);
    }
  }

  @Test
  void pollFdTellsWhatHoldsNow() {
    try (Seam seam = new Seam(syscalls)) {
      int[] pipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
      int both = Linux.EPOLLIN | Linux.EPOLLOUT;
      assertEquals(0, PollFd.ask(syscalls, pipe[0], both));
      assertEquals(Linux.EPOLLOUT, PollFd.ask(syscalls, pipe[1], both));
      seam.write(pipe[1], (byte) 1);
      assertEquals(Linux.EPOLLIN, PollFd.ask(syscalls, pipe[0], both));
      assertEquals(0, PollFd.ask(syscalls, pipe[0], Linux.EPOLLPRI));
      seam.closeNow(pipe[1]);
      assertEquals(Linux.EPOLLIN | Linux.EPOLLHUP, PollFd.ask(syscalls, pipe[0], both));
      Seam.fails(Errno.EBADF, PollFd.ask(syscalls, pipe[1], both));
      Seam.fails(Errno.EBADF, PollFd.ask(syscalls, -1, both));
    }
  }
}
