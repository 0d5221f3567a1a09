package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.sys.Errno;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Named pipes, and what a child process reads and writes. */
class FifoTest {
  private static final int NON_BLOCKING = LibC.O_NONBLOCK | LibC.O_CLOEXEC;

  @TempDir private Path directory;
  private String path;
  private Fds fds;
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    fds = new Fds();
    poller = Poller.open();
    path = fifo("fifo");
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  private String fifo(String name) {
    String fifo = directory.resolve(name).toString();
    check(C.mkfifo(fifo, 0600));
    return fifo;
  }

  @Test
  @Conformance(397)
  void aReaderThatKeepsTheFifoOpenOutlivesItsWriters() throws Exception {
    try (RawFd reader = RawFd.own(poller, C.open(path, LibC.O_RDWR | NON_BLOCKING))) {
      for (int writer = 1; writer <= 3; writer++) {
        int fd = fds.open(path, LibC.O_WRONLY | LibC.O_NONBLOCK);
        Fds.write(fd, writer);
        fds.close(fd);
        Readiness readiness = reader.registration().blockUntil(Interest.READABLE);
        assertFalse(readiness.isHangup());
        assertEquals(writer, reader.tryRead(ByteBuffer.allocate(10)));
        assertTrue(
            reader.registration().blockUntil(Interest.READABLE, Duration.ofMillis(50)).isNone());
      }
    }
  }

  @Test
  @Conformance(398)
  void withoutAReaderOnlyTheOpenForBothSucceedsAndIsWritable() throws Exception {
    assertEquals(-1, C.open(path, LibC.O_WRONLY | NON_BLOCKING));
    assertEquals(Errno.ENXIO.number, LibC.errno());
    try (RawFd sink = RawFd.own(poller, C.open(path, LibC.O_RDWR | NON_BLOCKING))) {
      assertTrue(sink.registration().blockUntil(Interest.WRITABLE).isWritable());
      assertEquals(5, sink.tryWrite(ByteBuffer.allocate(5)));
      assertEquals(5, sink.tryRead(ByteBuffer.allocate(9)));
    }
  }

  @Test
  void aReaderWaitsForTheFirstWriter() throws Exception {
    try (RawFd reader = RawFd.own(poller, C.open(path, LibC.O_RDONLY | NON_BLOCKING))) {
      assertEquals(0, reader.tryRead(ByteBuffer.allocate(1)));
      Running<Integer> reading =
          Running.of(() -> reader.blocking().read(ByteBuffer.allocate(9)))
              .waitingOn(reader.registration());
      int writer = fds.open(path, LibC.O_WRONLY | LibC.O_NONBLOCK);
      Fds.write(writer, 4);
      assertEquals(4, reading.result());
      fds.close(writer);
      assertEquals(-1, reader.blocking().read(ByteBuffer.allocate(1)));
    }
  }

  @Test
  @Conformance(316)
  void aChildProcessEchoesThroughItsPipesAndEnds() throws Exception {
    String answers = fifo("answers");
    Process cat =
        new ProcessBuilder("sh", "-c", "exec cat < '" + path + "' > '" + answers + "'").start();
    try (RawFd output = RawFd.own(poller, C.open(answers, LibC.O_RDONLY | NON_BLOCKING))) {
      RawFd input = RawFd.own(poller, Running.of(() -> openBlocking(path)).result());
      for (String line : new String[] {"one", "two", "three"}) {
        assertTrue(input.registration().blockUntil(Interest.WRITABLE).isWritable());
        input.blocking().write(ByteBuffer.wrap(line.getBytes(US_ASCII)));
        assertTrue(output.registration().blockUntil(Interest.READABLE).isReadable());
        ByteBuffer answer = ByteBuffer.allocate(10);
        assertEquals(line.length(), output.blocking().read(answer));
        assertEquals(line, new String(answer.array(), 0, answer.position(), US_ASCII));
      }
      input.close();
      assertEquals(-1, output.blocking().read(ByteBuffer.allocate(1)));
      assertEquals(0, cat.waitFor());
    } finally {
      cat.destroyForcibly();
    }
  }

  /** A blocking descriptor, as a process gives its child; returns once the reader is there. */
  private static int openBlocking(String path) {
    return check(C.open(path, LibC.O_WRONLY | LibC.O_CLOEXEC));
  }
}
