package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.fd.RegularFile;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SendFileTest {
  private static final int SIZE = 5_000_000;

  @TempDir Path directory;
  private final byte[] contents = new byte[SIZE];
  private Path path;
  private TcpPair pair;

  @BeforeEach
  void open() throws Exception {
    new Random(1).nextBytes(contents);
    path = Files.write(directory.resolve("file"), contents);
    pair = TcpPair.open();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  private void send(RegularFile file, long position, long count) throws Exception {
    long at = position;
    while (at < position + count) {
      long sent = pair.client().trySendFile(file, at, position + count - at);
      assertTrue(sent >= 0, "the file ended");
      if (sent == 0) {
        pair.client().registration().blockUntil(Interest.WRITABLE);
      }
      at += sent;
    }
    pair.client().shutdownOutput();
  }

  private Running<byte[]> reader() {
    return Running.of(
        () -> java.nio.channels.Channels.newInputStream(pair.server().blocking()).readAllBytes());
  }

  @Test
  void aFileArrivesWhole() throws Exception {
    try (RegularFile file = RegularFile.open(path)) {
      assertEquals(SIZE, file.size());
      Running<byte[]> reader = reader();
      send(file, 0, SIZE);
      assertArrayEquals(contents, reader.result());
    }
  }

  @Test
  void aPartOfAFileArrives() throws Exception {
    try (RegularFile file = RegularFile.open(path)) {
      Running<byte[]> reader = reader();
      send(file, 1_000_001, 2_000_000);
      assertArrayEquals(
          java.util.Arrays.copyOfRange(contents, 1_000_001, 3_000_001), reader.result());
    }
  }

  @Test
  void theEndOfTheFileIsMinusOneAndAFullConnectionZero() throws Exception {
    try (RegularFile file = RegularFile.open(path)) {
      assertEquals(-1, pair.client().trySendFile(file, SIZE, 1));
      assertEquals(-1, pair.client().trySendFile(file, 1L << 40, 1));
      assertEquals(0, pair.client().trySendFile(file, 0, 0));
      assertEquals(10, pair.client().trySendFile(file, SIZE - 10, 1_000));
      while (pair.client().trySendFile(file, 0, SIZE) > 0) {
        // Until the connection is full.
      }
      assertEquals(0, pair.client().trySendFile(file, 0, 1));
    }
  }

  @Test
  void noPositionAndNoCountIsTooLarge() throws Exception {
    try (RegularFile file = RegularFile.open(path)) {
      assertEquals(10, pair.client().trySendFile(file, SIZE - 10, Long.MAX_VALUE));
      for (long position : new long[] {1L << 50, Long.MAX_VALUE - 1, Long.MAX_VALUE}) {
        assertEquals(-1, pair.client().trySendFile(file, position, 1), "at " + position);
        assertEquals(-1, pair.client().trySendFile(file, position, Long.MAX_VALUE));
      }
    }
  }

  @Test
  void whatIsNoRegularFileIsRefusedAndLeavesNothing() throws Exception {
    assertEquals(0, Fifo.make(directory.resolve("fifo")));
    var before = KernelFds.openNow();
    assertThrows(NoSuchFileException.class, () -> RegularFile.open(directory.resolve("none")));
    for (Path other : new Path[] {directory, directory.resolve("fifo"), Path.of("/dev/null")}) {
      FileSystemException e =
          assertThrows(FileSystemException.class, () -> RegularFile.open(other));
      assertTrue(e.getMessage().contains(other.toString()), e::getMessage);
    }
    IOException tooLong =
        assertThrows(
            FileSystemException.class, () -> RegularFile.open(Path.of("/x".repeat(40_000))));
    assertTrue(tooLong.getMessage().contains("File name too long"), tooLong::getMessage);
    KernelFds.assertNoneSince(before);
  }

  private interface Fifo {
    static int make(Path path) {
      return LibC.C.mkfifo(path.toString(), 0600);
    }
  }

  @Test
  void badArgumentsAndClosedOnesAreRefused() throws Exception {
    RegularFile file = RegularFile.open(path);
    assertThrows(IllegalArgumentException.class, () -> pair.client().trySendFile(file, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> pair.client().trySendFile(file, 0, -1));
    file.close();
    file.close();
    assertFalse(file.isOpen());
    assertThrows(ClosedChannelException.class, file::size);
    assertThrows(ClosedChannelException.class, () -> pair.client().trySendFile(file, 0, 1));
    try (RegularFile again = RegularFile.open(path)) {
      pair.client().close();
      assertThrows(ClosedChannelException.class, () -> pair.client().trySendFile(again, 0, 1));
    }
  }

  @Test
  void aPeerThatIsGoneIsAnError() throws Exception {
    pair.server().close();
    try (RegularFile file = RegularFile.open(path)) {
      assertThrows(
          IOException.class,
          () -> {
            while (true) {
              pair.client().trySendFile(file, 0, SIZE);
              pair.client().tryWrite(ByteBuffer.allocate(1));
            }
          });
    }
  }
}
