package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.SyscallException;
import dev.epoll.testing.Fds;
import dev.epoll.testing.Running;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GatheringWriteTest {
  private TcpPair pair;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  private byte[] receive(int length) throws Exception {
    ByteBuffer target = ByteBuffer.allocate(length);
    while (target.hasRemaining()) {
      assertTrue(pair.server().blocking().read(target) > 0);
    }
    return target.array();
  }

  private static ByteBuffer direct(int... bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length);
    for (int b : bytes) {
      buffer.put((byte) b);
    }
    return buffer.flip();
  }

  private static ByteBuffer heap(int... bytes) {
    ByteBuffer direct = direct(bytes);
    return ByteBuffer.allocate(bytes.length).put(direct).flip();
  }

  @Test
  void heapAndDirectAndEmptyAndReadOnlyBuffersAreWrittenInTheirOrder() throws Exception {
    ByteBuffer[] sources = {
      heap(1, 2),
      direct(3),
      heap(),
      direct(4, 5).asReadOnlyBuffer(),
      heap(0, 6, 0).position(1).limit(2),
      heap(0, 7, 8).position(1).slice().asReadOnlyBuffer(),
      direct(0, 9, 0).position(1).limit(2).slice()
    };
    assertEquals(9, pair.client().tryWrite(sources));
    assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, receive(9));
    for (ByteBuffer source : sources) {
      assertEquals(0, source.remaining());
    }
  }

  @Test
  void onlyTheBuffersFromOffsetOnAreWritten() throws Exception {
    ByteBuffer[] sources = {heap(1), direct(2), heap(3), direct(4)};
    assertEquals(2, pair.client().tryWrite(sources, 1, 2));
    assertArrayEquals(new byte[] {2, 3}, receive(2));
    int[] remaining = Arrays.stream(sources).mapToInt(ByteBuffer::remaining).toArray();
    assertArrayEquals(new int[] {1, 0, 0, 1}, remaining);
    assertEquals(0, pair.client().tryWrite(sources, 4, 0));
    for (int[] range : new int[][] {{-1, 1}, {0, 5}, {4, 1}, {1, -1}, {1, Integer.MAX_VALUE}}) {
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> pair.client().tryWrite(sources, range[0], range[1]));
    }
  }

  @Test
  void ofMoreBuffersThanOneCallTakesTheFirstAreWritten() throws Exception {
    ByteBuffer[] sources = new ByteBuffer[1000];
    byte[] expected = new byte[1000];
    for (int i = 0; i < sources.length; i++) {
      expected[i] = (byte) i;
      sources[i] = i % 2 == 0 ? heap(i) : direct(i);
    }
    int written = 0;
    while (written < sources.length) {
      int before = written;
      written += (int) pair.client().tryWrite(sources);
      assertTrue(written > before);
      for (int i = 0; i < sources.length; i++) {
        assertEquals(i < written ? 0 : 1, sources[i].remaining());
      }
    }
    assertArrayEquals(expected, receive(1000));
  }

  @Test
  void largeHeapBuffersAreWrittenInSeveralCalls() throws Exception {
    ByteBuffer[] sources = {
      ByteBuffer.allocate(40_000),
      ByteBuffer.allocate(40_000),
      ByteBuffer.allocateDirect(40_000),
      ByteBuffer.allocate(40_000)
    };
    for (int i = 0; i < sources.length; i++) {
      while (sources[i].hasRemaining()) {
        sources[i].put((byte) i);
      }
      sources[i].flip();
    }
    Running<Integer> writer = Running.of(() -> writeAll(sources));
    byte[] received = receive(160_000);
    writer.result();
    for (int i = 0; i < received.length; i++) {
      assertEquals((byte) (i / 40_000), received[i]);
    }
  }

  private int writeAll(ByteBuffer[] sources) throws Exception {
    int calls = 0;
    while (Arrays.stream(sources).anyMatch(ByteBuffer::hasRemaining)) {
      if (pair.client().tryWrite(sources) == 0) {
        pair.client().registration().blockUntil(Interest.WRITABLE);
      }
      calls++;
    }
    return calls;
  }

  @Test
  void randomBuffersArriveInOrderAlsoWhereAWriteIsShort() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    ByteBuffer[] sources = new ByteBuffer[400];
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    for (int i = 0; i < sources.length; i++) {
      byte[] bytes = new byte[1 << random.nextInt(17) >> 1];
      random.nextBytes(bytes);
      expected.writeBytes(bytes);
      sources[i] =
          random.nextBoolean()
              ? ByteBuffer.wrap(bytes)
              : ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }
    Running<Integer> writer = Running.of(() -> writeAll(sources));
    assertArrayEquals(expected.toByteArray(), receive(expected.size()), "seed " + seed);
    writer.result();
  }

  @Test
  void aFullConnectionTakesNothingAndABrokenOneFails() throws Exception {
    ByteBuffer[] sources = {heap(1), direct(2)};
    Fds.fill(pair.client().fd());
    assertEquals(0, pair.client().tryWrite(sources));
    pair.client().shutdownOutput();
    SyscallException e =
        assertThrows(SyscallException.class, () -> pair.client().tryWrite(sources));
    assertEquals("EPIPE", e.errnoName());
    assertEquals("sendmsg", e.call());
    assertEquals(1, sources[0].remaining());
  }
}
