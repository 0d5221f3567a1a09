package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.EventMask;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PipeTest {
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  @Test
  void bytesComeOutAsTheyWentIn() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      ByteBuffer target = ByteBuffer.allocate(10);
      assertEquals(0, pipe.source().tryRead(target));
      assertTrue(pipe.source().isDrained());
      assertEquals(3, pipe.sink().tryWrite(ByteBuffer.wrap(new byte[] {1, 2, 3})));
      assertEquals(3, pipe.source().tryRead(target));
      assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 3}), target.flip());
      pipe.sink().close();
      assertEquals(-1, pipe.source().tryRead(target.clear()));
      assertEquals(-1, pipe.source().tryRead(target.clear()));
      assertFalse(pipe.source().isDrained());
    }
  }

  @Test
  void bothEndsAreCloseOnExecAndNonBlocking() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      for (int fd : new int[] {pipe.source().fd(), pipe.sink().fd()}) {
        assertEquals(LibC.FD_CLOEXEC, C.fcntl(fd, LibC.F_GETFD, 0));
        assertTrue((C.fcntl(fd, LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
      }
    }
  }

  @Test
  void aFullPipeTakesWhatFitsAndThenNothing() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      int capacity = C.fcntl(pipe.sink().fd(), LibC.F_SETPIPE_SZ, 4096);
      ByteBuffer source = ByteBuffer.allocateDirect(capacity + 1000);
      assertEquals(capacity, pipe.sink().tryWrite(source));
      assertEquals(capacity, source.position());
      assertEquals(0, pipe.sink().tryWrite(source));
      assertEquals(capacity, source.position());
      ByteBuffer room = ByteBuffer.allocate(capacity);
      assertEquals(capacity, pipe.source().tryRead(room));
      assertFalse(pipe.source().isDrained());
      assertEquals(1000, pipe.sink().tryWrite(source));
    }
  }

  @Test
  @Conformance({124, 295})
  void writerOfAFullPipeIsResumedWhenTheReaderCloses() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      Fds.fill(pipe.sink().fd());
      Running<Readiness> writer =
          Running.of(() -> pipe.sink().registration().blockUntil(Interest.WRITABLE))
              .waitingOn(pipe.sink().registration());
      pipe.source().close();
      Readiness readiness = writer.result();
      assertEquals(EventMask.ERR, readiness.mask());
      assertTrue(readiness.isError());
      assertTrue(readiness.isWritable());
    }
  }

  @Test
  @Conformance(295)
  void writingWithoutAReaderFailsWithEpipeAndLeavesThePosition() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      pipe.source().close();
      for (ByteBuffer source :
          new ByteBuffer[] {ByteBuffer.allocate(5), ByteBuffer.allocateDirect(5)}) {
        SyscallException e =
            assertThrows(SyscallException.class, () -> pipe.sink().tryWrite(source));
        assertEquals("EPIPE", e.errnoName());
        assertEquals("write", e.call());
        assertEquals(pipe.sink().fd(), e.fd());
        assertEquals(0, source.position());
      }
      assertThrows(
          SyscallException.class, () -> pipe.sink().blocking().write(ByteBuffer.allocate(1)));
    }
  }

  @Test
  @Conformance({353, 367})
  void closingOneEndFailsItsOwnWaitersAsClosed() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      Running<?> reader =
          Running.of(() -> pipe.source().blocking().read(ByteBuffer.allocate(1)))
              .waitingOn(pipe.source().registration());
      pipe.source().close();
      assertInstanceOf(ClosedChannelException.class, reader.failure());
    }
    try (Pipe pipe = Pipe.open(poller)) {
      Fds.fill(pipe.sink().fd());
      Running<?> writer =
          Running.of(() -> pipe.sink().blocking().write(ByteBuffer.allocate(1)))
              .waitingOn(pipe.sink().registration());
      pipe.sink().close();
      assertInstanceOf(ClosedChannelException.class, writer.failure());
    }
  }

  @Test
  @Conformance({121, 317})
  void bytesBeforeTheEndAreReadBeforeTheEnd() throws Exception {
    try (Pipe pipe = Pipe.open(poller)) {
      pipe.sink().tryWrite(ByteBuffer.allocate(10));
      pipe.sink().close();
      assertTrue(pipe.source().registration().blockUntil(Interest.READABLE).isHangup());
      ByteBuffer target = ByteBuffer.allocate(6);
      var channel = pipe.source().blocking();
      assertEquals(6, channel.read(target));
      assertEquals(4, channel.read(target.clear()));
      assertEquals(-1, channel.read(target.clear()));
    }
  }

  @Test
  void closedEndsRefuseEveryCall() throws Exception {
    Pipe pipe = Pipe.open(poller);
    pipe.close();
    pipe.close();
    ByteBuffer empty = ByteBuffer.allocate(0);
    assertThrows(ClosedChannelException.class, () -> pipe.source().tryRead(empty));
    assertThrows(ClosedChannelException.class, () -> pipe.sink().tryWrite(empty));
    assertThrows(ClosedChannelException.class, () -> pipe.source().tryRead(ByteBuffer.allocate(1)));
    assertThrows(
        ClosedChannelException.class, () -> pipe.sink().tryWrite(ByteBuffer.allocateDirect(1)));
    assertFalse(pipe.source().isOpen() || pipe.sink().isOpen());
  }

  @Test
  @Conformance(350)
  void closingLeavesNoDescriptor() throws Exception {
    var before = KernelFds.openNow();
    Poller other = Poller.open();
    Pipe pipe = Pipe.open(other);
    other.close();
    pipe.close();
    assertFalse(OwnedFdTest.isOpen(pipe.source().fd()) || OwnedFdTest.isOpen(pipe.sink().fd()));
    assertThrows(ClosedPollerException.class, () -> Pipe.open(other));
    KernelFds.assertNoneSince(before);
  }
}
