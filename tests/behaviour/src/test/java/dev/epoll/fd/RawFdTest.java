package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RawFdTest {
  private static final int PIPE_BUF = 4096;

  private Fds fds;
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    fds = new Fds();
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  @Test
  void leavesABlockingPipeBlocking() throws Exception {
    Fds.Pair pipe = fds.blockingPipe();
    try (RawFd source = RawFd.borrow(poller, pipe.a());
        RawFd sink = RawFd.borrow(poller, pipe.b())) {
      sink.blocking().write(ByteBuffer.allocate(10));
      assertEquals(10, source.blocking().read(ByteBuffer.allocate(20)));
      for (int fd : new int[] {pipe.a(), pipe.b()}) {
        assertEquals(0, C.fcntl(fd, LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
      }
    }
  }

  @Test
  void readingAnEmptyBlockingPipeReturnsAtOnce() throws Exception {
    Fds.Pair pipe = fds.blockingPipe();
    try (RawFd source = RawFd.borrow(poller, pipe.a())) {
      assertEquals(0, Running.of(() -> source.tryRead(ByteBuffer.allocate(10))).result());
      assertTrue(source.isDrained());
      Fds.write(pipe.b(), 3);
      assertEquals(3, source.tryRead(ByteBuffer.allocateDirect(10)));
      fds.close(pipe.b());
      assertEquals(-1, source.tryRead(ByteBuffer.allocate(10)));
    }
  }

  @Test
  void heapBuffersCostNoNativeMemoryEachTime() throws Exception {
    Fds.Pair pipe = fds.blockingPipe();
    try (RawFd source = RawFd.borrow(poller, pipe.a());
        RawFd sink = RawFd.borrow(poller, pipe.b())) {
      BufferPoolMXBean direct =
          ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
              .filter(pool -> pool.getName().equals("direct"))
              .findFirst()
              .orElseThrow();
      long before = direct.getCount();
      for (int i = 0; i < 100; i++) {
        assertEquals(1, sink.tryWrite(ByteBuffer.allocate(1)));
        assertEquals(1, source.tryRead(ByteBuffer.allocate(2)));
      }
      long more = direct.getCount() - before;
      assertTrue(more < 50, () -> more + " direct buffers more");
    }
  }

  @Test
  void writesABlockingPipeInPiecesThatItTakesWhole() throws Exception {
    Fds.Pair pipe = fds.blockingPipe();
    int capacity = C.fcntl(pipe.b(), LibC.F_SETPIPE_SZ, 4 * PIPE_BUF);
    try (RawFd sink = RawFd.borrow(poller, pipe.b())) {
      ByteBuffer source = ByteBuffer.allocate(100_000);
      Running<Integer> writer = Running.of(() -> writeWhatItTakes(sink, source));
      assertEquals(capacity, writer.result());
      assertEquals(capacity, source.position());
      assertEquals(PIPE_BUF, C.read(pipe.a(), new byte[PIPE_BUF], PIPE_BUF));
      assertEquals(PIPE_BUF, sink.tryWrite(source));
      assertEquals(0, sink.tryWrite(source));
    }
  }

  private static int writeWhatItTakes(RawFd sink, ByteBuffer source) throws Exception {
    int total = 0;
    while (true) {
      int count = sink.tryWrite(source);
      if (count == 0) {
        return total;
      }
      assertTrue(count <= PIPE_BUF);
      total += count;
    }
  }

  @Test
  void writesANonBlockingPipeInOneGo() throws Exception {
    Fds.Pair pipe = fds.pipe();
    try (RawFd sink = RawFd.borrow(poller, pipe.b())) {
      assertEquals(20_000, sink.tryWrite(ByteBuffer.allocate(20_000)));
      assertEquals(20_000, Fds.drain(pipe.a()));
    }
  }

  @Test
  @Conformance({353, 361})
  void closingEndsAWriteToAFullBlockingPipe() throws Exception {
    Fds.Pair pipe = fds.blockingPipe();
    RawFd sink = RawFd.borrow(poller, pipe.b());
    Running<Integer> writer =
        Running.of(() -> sink.blocking().write(ByteBuffer.allocate(1_000_000)))
            .waitingOn(sink.registration());
    sink.close();
    assertInstanceOf(ClosedChannelException.class, writer.failure());
    assertTrue(OwnedFdTest.isOpen(pipe.b()));
  }

  @Test
  void aBorrowedFdStaysOpenAndCanBeBorrowedAgain() throws Exception {
    Fds.Pair pipe = fds.pipe();
    for (int i = 0; i < 3; i++) {
      RawFd source = RawFd.borrow(poller, pipe.a());
      source.close();
      assertThrows(ClosedChannelException.class, () -> source.tryRead(ByteBuffer.allocate(1)));
      assertTrue(OwnedFdTest.isOpen(pipe.a()));
    }
    Fds.write(pipe.b(), 1);
    assertEquals(1, Fds.drain(pipe.a()));
  }

  @Test
  @Conformance({229, 350})
  void anOwnedFdIsClosedAndItsPeerReadsTheEnd() throws Exception {
    Fds.Pair pair = fds.socketpair();
    RawFd owned = RawFd.own(poller, fds.release(pair.a()));
    owned.close();
    owned.close();
    assertFalse(OwnedFdTest.isOpen(pair.a()));
    assertEquals(0, C.read(pair.b(), new byte[1], 1));
  }

  @Test
  @Conformance(10)
  void aRegularFileIsRefusedWithEpermAndClosedOnlyIfOwned(@TempDir Path directory)
      throws Exception {
    String file = Files.createFile(directory.resolve("regular")).toString();
    int borrowed = fds.open(file, LibC.O_RDWR);
    SyscallException e = assertThrows(SyscallException.class, () -> RawFd.borrow(poller, borrowed));
    assertEquals("EPERM", e.errnoName());
    assertTrue(e.getMessage().contains(file), e.getMessage());
    assertTrue(OwnedFdTest.isOpen(borrowed));
    int owned = fds.release(fds.open(file, LibC.O_RDWR));
    assertThrows(SyscallException.class, () -> RawFd.own(poller, owned));
    assertFalse(OwnedFdTest.isOpen(owned));
  }

  @Test
  @Conformance(8)
  void aNumberThatIsNotOpenIsRefusedWithEbadf() throws Exception {
    int closed = fds.release(fds.eventfd(0));
    C.close(closed);
    for (int number : new int[] {-1, closed}) {
      SyscallException e = assertThrows(SyscallException.class, () -> RawFd.borrow(poller, number));
      assertEquals("EBADF", e.errnoName());
    }
  }

  @Test
  @Conformance(16)
  void theSecondWrapperOfANumberIsRefusedAndTheFirstGoesOn() throws Exception {
    Fds.Pair pipe = fds.pipe();
    try (RawFd first = RawFd.borrow(poller, pipe.a())) {
      SyscallException e =
          assertThrows(SyscallException.class, () -> RawFd.borrow(poller, pipe.a()));
      assertEquals("EEXIST", e.errnoName());
      Running<Integer> reader =
          Running.of(() -> first.blocking().read(ByteBuffer.allocate(10)))
              .waitingOn(first.registration());
      Fds.write(pipe.b(), 4);
      assertEquals(4, reader.result());
    }
  }

  @Test
  @Conformance({220, 236})
  void noEventComesFromADuplicateOnceTheHandleIsClosed() throws Exception {
    Fds.Pair pipe = fds.pipe();
    int duplicate = fds.dup(pipe.a());
    RawFd source = RawFd.own(poller, fds.release(pipe.a()));
    source.registration().blockUntil(Interest.READABLE, Duration.ofMillis(1));
    source.close();
    long events = poller.stats().events();
    Fds.write(pipe.b(), 1);
    try (EventFd other = EventFd.counter(poller, 1)) {
      other.registration().blockUntil(Interest.READABLE);
    }
    assertEquals(events + 1, poller.stats().events());
    assertEquals(1, Fds.drain(duplicate));
  }

  @Test
  @Conformance(221)
  void theNextOwnerOfANumberSeesNothingOfTheHangupBefore() throws Exception {
    for (int round = 0; round < 100; round++) {
      Fds.Pair old = fds.pipe();
      int duplicate = fds.dup(old.a());
      fds.close(old.b());
      RawFd source = RawFd.own(poller, fds.release(old.a()));
      source.registration().blockUntil(Interest.READABLE);
      source.close();
      Fds.Pair next = fds.pipe();
      assertEquals(old.a(), next.a());
      try (RawFd reader = RawFd.borrow(poller, next.a())) {
        assertTrue(reader.registration().blockUntil(Interest.READABLE, Duration.ZERO).isNone());
        assertEquals(0, reader.tryRead(ByteBuffer.allocate(1)));
      }
      fds.close(duplicate);
      fds.close(next.a());
      fds.close(next.b());
    }
  }

  @Test
  void noBytesMoveForAnEmptyBufferThoughTheFdIsReadyAndFull() throws Exception {
    Fds.Pair pair = fds.socketpair();
    try (RawFd raw = RawFd.borrow(poller, pair.a())) {
      ByteBuffer empty = ByteBuffer.allocateDirect(0);
      assertEquals(0, raw.tryRead(empty));
      Fds.write(pair.b(), 1);
      assertEquals(0, raw.tryRead(empty));
      assertEquals(0, raw.blocking().read(empty));
      Fds.fill(pair.a());
      assertEquals(0, raw.tryWrite(empty));
      assertEquals(0, raw.blocking().write(empty));
    }
  }
}
