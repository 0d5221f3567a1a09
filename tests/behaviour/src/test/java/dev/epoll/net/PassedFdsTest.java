package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.EventFd;
import dev.epoll.fd.Pipe;
import dev.epoll.fd.RawFd;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Descriptors that travel over a Unix connection (SCM_RIGHTS). */
class PassedFdsTest {
  private Poller poller;
  private Map<Integer, String> before;
  private UnixStream.Pair pair;
  private Pipe pipe;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    before = KernelFds.openNow();
    pair = UnixStream.pair(poller);
    pipe = Pipe.open(poller);
  }

  /** Whatever was sent, received, lost or left on the way: nothing stays open. */
  @AfterEach
  void close() {
    pipe.close();
    pair.close();
    KernelFds.assertNoneSince(before);
    poller.close();
  }

  private int[] sinks(int count) {
    int[] fds = new int[count];
    java.util.Arrays.fill(fds, pipe.sink().fd());
    return fds;
  }

  private void send(int bytes, int... fds) throws IOException {
    assertEquals(bytes, pair.first().tryWriteWithFds(ByteBuffer.allocate(bytes), fds));
  }

  @Test
  void afterShutdownInputNothingIsReceived() throws Exception {
    send(3, pipe.sink().fd());
    pair.second().shutdownInput();
    try (ReceivedFds fds = new ReceivedFds(1)) {
      assertEquals(-1, pair.second().tryReadWithFds(ByteBuffer.allocate(10), fds));
      assertEquals(-1, pair.second().tryRead(ByteBuffer.allocate(10)));
      assertEquals(0, fds.size());
    }
    SyscallException e =
        assertThrows(SyscallException.class, () -> pair.first().tryWrite(ByteBuffer.allocate(1)));
    assertEquals("EPIPE", e.errnoName());
  }

  @Test
  void aLargeHeapBufferIsMovedInPieces() throws Exception {
    ByteBuffer source = ByteBuffer.allocate(100_000);
    int written = pair.first().tryWriteWithFds(source, pipe.sink().fd());
    assertTrue(written > 0 && written < 100_000, () -> written + " bytes");
    assertEquals(written, source.position());
    assertEquals(100_000 - written, pair.first().tryWriteWithFds(source));
    ByteBuffer target = ByteBuffer.allocate(1 << 20);
    try (ReceivedFds fds = new ReceivedFds(1)) {
      while (target.position() < 100_000) {
        assertTrue(pair.second().tryReadWithFds(target, fds) > 0);
      }
      assertEquals(1, fds.size());
    }
  }

  @Test
  void whatArrivesIsTheSamePipe() throws Exception {
    send(3, pipe.sink().fd());
    ByteBuffer target = ByteBuffer.allocateDirect(10);
    try (ReceivedFds fds = new ReceivedFds(4)) {
      assertEquals(3, pair.second().tryReadWithFds(target, fds));
      assertEquals(3, target.position());
      assertEquals(1, fds.size());
      assertFalse(fds.hasLostSome());
      int received = fds.take();
      assertEquals(LibC.FD_CLOEXEC, C.fcntl(received, LibC.F_GETFD, 0));
      try (RawFd sink = RawFd.own(poller, received)) {
        assertEquals(5, sink.tryWrite(ByteBuffer.allocate(5)));
      }
      assertEquals(5, pipe.source().tryRead(ByteBuffer.allocate(10)));
      assertThrows(NoSuchElementException.class, fds::take);
    }
  }

  @Test
  void whoReadsPlainlyLosesThemAndNothingLeaks() throws Exception {
    send(3, sinks(3));
    assertEquals(3, pair.second().tryRead(ByteBuffer.allocate(10)));
  }

  @Test
  void aReceiverThatIsTooShortSaysSoAndNothingLeaks() throws Exception {
    send(1, sinks(5));
    try (ReceivedFds fds = new ReceivedFds(1)) {
      assertEquals(1, pair.second().tryReadWithFds(ByteBuffer.allocate(10), fds));
      assertEquals(1, fds.size());
      assertTrue(fds.hasLostSome());
    }
  }

  @Test
  void aReceiverWithoutFreeNumbersSaysSoAndNothingLeaks() throws Exception {
    send(1, sinks(2));
    ByteBuffer target = ByteBuffer.allocateDirect(10);
    try (ReceivedFds fds = new ReceivedFds(2)) {
      assertEquals(
          1,
          FdLimit.<Integer>whileReached(
              () -> {
                try {
                  return pair.second().tryReadWithFds(target, fds);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              }));
      assertEquals(0, fds.size());
      assertTrue(fds.hasLostSome());
    }
  }

  @Test
  void whatNobodyReadsIsClosedWithTheConnection() throws Exception {
    send(1, sinks(7));
  }

  @Test
  void asManyAsLinuxSendsArriveInTheirOrder() throws Exception {
    int[] fds = new int[253];
    for (int i = 0; i < fds.length; i++) {
      fds[i] = i % 2 == 0 ? pipe.sink().fd() : pipe.source().fd();
    }
    send(1, fds);
    try (ReceivedFds received = new ReceivedFds(253)) {
      assertEquals(1, pair.second().tryReadWithFds(ByteBuffer.allocate(1), received));
      assertEquals(253, received.size());
      for (int i = 0; i < fds.length; i++) {
        int fd = received.take();
        assertEquals(before(fds[i]), before(fd), "descriptor " + i);
        C.close(fd);
      }
    }
  }

  private static boolean before(int fd) {
    return C.fcntl(fd, LibC.F_GETFL, 0) % 2 == LibC.O_WRONLY;
  }

  @Test
  void bytesOfTwoMessagesWithDescriptorsAreReadApart() throws Exception {
    send(2, sinks(1));
    send(3, sinks(2));
    ByteBuffer target = ByteBuffer.allocate(10);
    try (ReceivedFds fds = new ReceivedFds(4)) {
      assertEquals(2, pair.second().tryReadWithFds(target, fds));
      assertEquals(1, fds.size());
      assertEquals(3, pair.second().tryReadWithFds(target, fds));
      assertEquals(3, fds.size());
      assertEquals(0, pair.second().tryReadWithFds(target, fds));
      pair.first().close();
      assertEquals(-1, pair.second().tryReadWithFds(target, fds));
    }
  }

  @Test
  void badInputIsRefusedAndSendsNothing() throws Exception {
    ByteBuffer one = ByteBuffer.allocate(1);
    assertThrows(
        IllegalArgumentException.class,
        () -> pair.first().tryWriteWithFds(ByteBuffer.allocate(0), pipe.sink().fd()));
    assertThrows(
        IllegalArgumentException.class, () -> pair.first().tryWriteWithFds(one, new int[254]));
    SyscallException e =
        assertThrows(SyscallException.class, () -> pair.first().tryWriteWithFds(one, 1_000_000));
    assertEquals("EBADF", e.errnoName());
    try (ReceivedFds fds = new ReceivedFds(1)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> pair.second().tryReadWithFds(ByteBuffer.allocate(0), fds));
      assertEquals(0, pair.second().tryReadWithFds(one, fds));
    }
    assertThrows(IllegalArgumentException.class, () -> new ReceivedFds(0));
    assertThrows(IllegalArgumentException.class, () -> new ReceivedFds(254));
  }

  @Test
  void alsoWithoutDescriptorsItIsAPlainWrite() throws Exception {
    assertEquals(100_000, pair.first().tryWriteWithFds(ByteBuffer.allocateDirect(100_000)));
    try (EventFd wake = EventFd.counter(poller, 0)) {
      assertEquals(EventFd.EMPTY, wake.tryTake());
    }
    assertEquals(100_000, pair.second().tryRead(ByteBuffer.allocateDirect(200_000)));
  }
}
