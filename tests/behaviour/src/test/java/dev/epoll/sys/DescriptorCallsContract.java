package dev.epoll.sys;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.LibC;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** eventfd, pipe2, fcntl, read, write, close, poll and addressOf, told by what they do. */
interface DescriptorCallsContract {
  int SIZE_OF_POLLFD = 8;
  int REVENTS = 6;

  Syscalls syscalls();

  @Test
  @Conformance(187)
  default void eventfdTakesItsFlags() {
    try (Seam seam = new Seam(syscalls())) {
      int plain = seam.keep(syscalls().eventfd(0, 0));
      int closeOnExec = seam.keep(syscalls().eventfd(0, Linux.EFD_CLOEXEC));
      int nonBlocking = seam.keep(syscalls().eventfd(0, Linux.EFD_NONBLOCK));
      assertFalse(Seam.isCloseOnExec(plain));
      assertFalse(Seam.isNonBlocking(plain));
      assertTrue(Seam.isCloseOnExec(closeOnExec));
      assertFalse(Seam.isNonBlocking(closeOnExec));
      assertFalse(Seam.isCloseOnExec(nonBlocking));
      assertTrue(Seam.isNonBlocking(nonBlocking));
      Seam.fails(Errno.EINVAL, syscalls().eventfd(0, 42));
    }
  }

  @Test
  default void eventfdStartsWithItsInitialValue() {
    try (Seam seam = new Seam(syscalls())) {
      assertEquals(7, seam.readLong(seam.eventfd(7)));
    }
  }

  @Test
  default void eventfdWithSemaphoreGivesOneAtATime() {
    try (Seam seam = new Seam(syscalls())) {
      int flags = Linux.EFD_SEMAPHORE | Linux.EFD_NONBLOCK;
      int semaphore = seam.keep(syscalls().eventfd(2, flags));
      assertEquals(1, seam.readLong(semaphore));
      assertEquals(1, seam.readLong(semaphore));
      Seam.fails(Errno.EAGAIN, seam.readResult(semaphore, Long.BYTES));
    }
  }

  @Test
  default void pipe2TakesItsFlags() {
    try (Seam seam = new Seam(syscalls())) {
      for (int fd : seam.pipe(0)) {
        assertFalse(Seam.isCloseOnExec(fd));
        assertFalse(Seam.isNonBlocking(fd));
      }
      for (int fd : seam.pipe(Linux.O_CLOEXEC)) {
        assertTrue(Seam.isCloseOnExec(fd));
        assertFalse(Seam.isNonBlocking(fd));
      }
      for (int fd : seam.pipe(Linux.O_NONBLOCK)) {
        assertFalse(Seam.isCloseOnExec(fd));
        assertTrue(Seam.isNonBlocking(fd));
      }
      Seam.fails(Errno.EINVAL, syscalls().pipe2(0, 42));
      Seam.fails(Errno.EFAULT, syscalls().pipe2(0, 0));
    }
  }

  @Test
  default void writtenBytesAreReadInOrderAndThenTheEnd() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
      assertEquals(5, seam.write(pipe[1], Seam.text("hello")));
      Seam.assertBytes("hel", seam.read(pipe[0], 3));
      Seam.assertBytes("lo", seam.read(pipe[0], 100));
      Seam.fails(Errno.EAGAIN, seam.readResult(pipe[0], 1));
      seam.closeNow(pipe[1]);
      assertEquals(0, seam.readResult(pipe[0], 1));
    }
  }

  @Test
  default void writeToAFullPipeIsShortAndThenWouldBlock() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
      byte[] large = new byte[1 << 20];
      long written = seam.write(pipe[1], large);
      assertTrue(written > 0 && written < large.length, "wrote " + written);
      Seam.fails(Errno.EAGAIN, seam.write(pipe[1], large));
    }
  }

  @Test
  default void closeClosesAndOnlyOnce() {
    int fd = syscalls().eventfd(0, Linux.EFD_CLOEXEC);
    assertEquals(0, syscalls().close(fd));
    assertEquals(-1, C.fcntl(fd, LibC.F_GETFD, 0));
    Seam.fails(Errno.EBADF, syscalls().close(fd));
  }

  @Test
  default void fcntlReadsAndWritesTheFlags() {
    try (Seam seam = new Seam(syscalls())) {
      int fd = seam.pipe(Linux.O_CLOEXEC)[0];
      assertEquals(Linux.FD_CLOEXEC, syscalls().fcntl(fd, Linux.F_GETFD, 0));
      int flags = syscalls().fcntl(fd, Linux.F_GETFL, 0);
      assertEquals(0, flags & Linux.O_NONBLOCK);
      assertEquals(0, syscalls().fcntl(fd, Linux.F_SETFL, flags | Linux.O_NONBLOCK));
      assertTrue(Seam.isNonBlocking(fd));
      assertEquals(flags | Linux.O_NONBLOCK, syscalls().fcntl(fd, Linux.F_GETFL, 0));
      assertEquals(0, syscalls().fcntl(fd, Linux.F_SETFL, flags));
      assertFalse(Seam.isNonBlocking(fd));
    }
  }

  @Test
  default void pollSaysWhichOfSeveralFdsAreReady() {
    try (Seam seam = new Seam(syscalls())) {
      int ready = seam.eventfd(1);
      int quiet = seam.eventfd(0);
      NativeMemory pollfds = seam.ints(ready, Linux.EPOLLIN, quiet, Linux.EPOLLIN);
      try {
        assertEquals(1, syscalls().poll(pollfds.address(), 2, -1));
        assertEquals(Linux.EPOLLIN, pollfds.buffer().getShort(REVENTS));
        assertEquals(0, pollfds.buffer().getShort(SIZE_OF_POLLFD + REVENTS));
        assertEquals(0, syscalls().poll(pollfds.address() + SIZE_OF_POLLFD, 1, 0));
      } finally {
        Reference.reachabilityFence(pollfds);
      }
      int closed = seam.eventfd(0);
      seam.closeNow(closed);
      assertEquals(Linux.POLLNVAL, seam.poll(closed, Linux.EPOLLIN));
    }
  }

  @Test
  default void pollEndsByItsTimeoutAndNeverEarly() {
    long start = System.nanoTime();
    assertEquals(0, syscalls().poll(0, 0, 20));
    assertTrue(System.nanoTime() - start >= 20_000_000);
  }

  @Test
  default void addressOfIsThatOfTheByteAtThePosition() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
      ByteBuffer source = ByteBuffer.allocateDirect(16).put(Seam.text("0123456789"));
      ByteBuffer target = ByteBuffer.allocateDirect(16);
      try {
        long start = syscalls().addressOf(source.position(0));
        assertEquals(start + 3, syscalls().addressOf(source.position(3)));
        assertEquals(start + 3, syscalls().addressOf(source.slice()));
        assertEquals(start + 3, syscalls().addressOf(source.asReadOnlyBuffer()));
        assertEquals(4, syscalls().write(pipe[1], syscalls().addressOf(source), 4));
        assertEquals(4, syscalls().read(pipe[0], syscalls().addressOf(target.position(2)), 4));
      } finally {
        Reference.reachabilityFence(source);
        Reference.reachabilityFence(target);
      }
      byte[] bytes = new byte[6];
      target.get(0, bytes);
      Seam.assertBytes("\0\0003456", bytes);
    }
  }
}
