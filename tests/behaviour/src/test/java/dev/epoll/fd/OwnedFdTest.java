package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class OwnedFdTest {
  private static final int ROUNDS = 10_000;

  @Test
  void closesTheNumberOnce() throws Exception {
    try (Fds fds = new Fds()) {
      int number = fds.release(fds.eventfd(0));
      OwnedFd owned = OwnedFd.owned(number);
      assertEquals(number, owned.number());
      assertTrue(owned.isOpen());
      assertEquals("fd " + number, owned.toString());
      assertTrue(owned.close());
      assertFalse(isOpen(number));
      int reused = fds.eventfd(0);
      assertEquals(number, reused);
      assertFalse(owned.close());
      assertTrue(isOpen(reused));
      assertFalse(owned.isOpen());
      assertEquals("fd " + number + " (closed)", owned.toString());
    }
  }

  @Test
  void aBorrowedNumberStaysOpen() throws Exception {
    try (Fds fds = new Fds()) {
      int number = fds.eventfd(0);
      OwnedFd borrowed = OwnedFd.borrowed(number);
      assertEquals(number, borrowed.acquire());
      assertTrue(borrowed.close());
      borrowed.release();
      assertThrows(ClosedChannelException.class, borrowed::acquire);
      assertTrue(isOpen(number));
    }
  }

  @Test
  void theNumberIsNotReleasedWhileCallsAreInside() throws Exception {
    try (Fds fds = new Fds()) {
      Fds.Pair pipe = fds.pipe();
      OwnedFd owned = OwnedFd.owned(fds.release(pipe.a()));
      owned.acquire();
      owned.acquire();
      assertTrue(owned.close());
      assertThrows(ClosedChannelException.class, owned::acquire);
      owned.release();
      assertTrue(isRead(pipe));
      owned.release();
      assertFalse(isRead(pipe));
    }
  }

  @Test
  void ofManyThreadsThatCloseOneDoes() throws Exception {
    for (int round = 0; round < 200; round++) {
      try (Fds fds = new Fds()) {
        Fds.Pair pipe = fds.pipe();
        OwnedFd owned = OwnedFd.owned(fds.release(pipe.a()));
        List<Running<Boolean>> closers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          closers.add(Running.of(owned::close));
        }
        int closed = 0;
        for (Running<Boolean> closer : closers) {
          closed += closer.result() ? 1 : 0;
        }
        assertEquals(1, closed);
        assertFalse(isRead(pipe));
      }
    }
  }

  /**
   * Whether the pipe's read end is open. Not asked by its number, which the JVM itself may have
   * taken for a file of its own as soon as it was free.
   */
  private static boolean isRead(Fds.Pair pipe) {
    return C.write(pipe.b(), new byte[1], 1) == 1;
  }

  /**
   * Every round closes a pipe that another thread reads, and opens a new one, which takes its
   * number. A read that went to the wrong pipe would take the byte that waits in it.
   */
  @Test
  @Conformance(226)
  void aReadThatRacesWithCloseNeverTakesTheBytesOfTheNextOwner() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open()) {
      AtomicReference<RawFd> current = new AtomicReference<>();
      Running<Long> reader = Running.of(() -> readUntilNone(current));
      var before = KernelFds.openNow();
      for (int round = 0; round < ROUNDS; round++) {
        Fds.Pair victim = fds.pipe();
        RawFd raw = RawFd.own(poller, fds.release(victim.a()));
        current.set(raw);
        Thread.onSpinWait();
        raw.close();
        Fds.Pair next = fds.pipe();
        Fds.write(next.b(), 1);
        assertEquals(1, Fds.drain(next.a()), "round " + round);
        fds.close(next.a());
        fds.close(next.b());
        fds.close(victim.b());
      }
      current.set(raw(poller, fds));
      current.get().close();
      current.set(null);
      assertEquals(0, reader.result());
      KernelFds.assertNoneSince(before);
    }
  }

  private static RawFd raw(Poller poller, Fds fds) throws Exception {
    return RawFd.own(poller, fds.release(fds.eventfd(0)));
  }

  private static long readUntilNone(AtomicReference<RawFd> current) throws Exception {
    while (current.get() == null) {
      Thread.onSpinWait();
    }
    ByteBuffer target = ByteBuffer.allocateDirect(16);
    long taken = 0;
    while (true) {
      RawFd raw = current.get();
      if (raw == null) {
        return taken;
      }
      try {
        taken += Math.max(raw.tryRead(target.clear()), 0);
      } catch (ClosedChannelException closedMeanwhile) {
        Thread.onSpinWait();
      }
    }
  }

  static boolean isOpen(int fd) {
    return C.fcntl(fd, LibC.F_GETFD, 0) >= 0;
  }
}
