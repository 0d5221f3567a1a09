package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.Running;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TcpDuplexTest {
  private static final int MEGABYTES_16 = 16 << 20;

  @Test
  @Conformance({307, 380})
  void aReaderAndAWriterThatBothWaitAreServedOneAfterTheOther() throws Exception {
    try (TcpPair pair = TcpPair.open()) {
      Running<byte[]> reader = Running.of(() -> receive(pair.client(), MEGABYTES_16));
      Running<Integer> writer =
          Running.of(() -> pair.client().blocking().write(ByteBuffer.allocate(MEGABYTES_16)));
      Eventually.until(
          "both wait",
          () ->
              pair.poller().snapshot().registrations().stream().anyMatch(fd -> fd.waiters() == 2));
      receive(pair.server(), MEGABYTES_16);
      assertEquals(MEGABYTES_16, writer.result());
      byte[] sent = new byte[MEGABYTES_16];
      new Random(7).nextBytes(sent);
      pair.server().blocking().write(ByteBuffer.wrap(sent));
      assertArrayEquals(sent, reader.result());
    }
  }

  private static byte[] receive(TcpStream stream, int length) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(length);
    while (target.hasRemaining()) {
      assertTrue(stream.blocking().read(target) > 0);
    }
    return target.array();
  }

  @Test
  @Conformance(382)
  void smallBuffersDoNotStallAWriterThatWritesOnlyWhileItCan() throws Exception {
    TcpOptions small =
        TcpOptions.none()
            .with(StandardSocketOptions.SO_SNDBUF, 8192)
            .with(StandardSocketOptions.SO_RCVBUF, 8192);
    int length = 4_000_000;
    try (TcpPair pair = TcpPair.open(small)) {
      Running<Integer> writer =
          Running.of(() -> pair.client().blocking().write(ByteBuffer.allocateDirect(length)));
      receive(pair.server(), length);
      assertEquals(length, writer.result());
    }
  }

  @Test
  @Conformance(383)
  void aRelayPassesBytesAndTheEndBothWays() throws Exception {
    byte[] sent = new byte[4_000_000];
    new Random(11).nextBytes(sent);
    try (TcpPair left = TcpPair.open();
        TcpPair right = TcpPair.open()) {
      Running<?> there = Running.of(() -> relay(left.server(), right.client()));
      Running<?> back = Running.of(() -> relay(right.client(), left.server()));
      Running<Integer> echo = Running.of(() -> relay(right.server(), right.server()));
      Running<byte[]> reader = Running.of(() -> receive(left.client(), sent.length));
      left.client().blocking().write(ByteBuffer.wrap(sent));
      left.client().shutdownOutput();
      assertArrayEquals(sent, reader.result());
      assertEquals(-1, left.client().blocking().read(ByteBuffer.allocate(1)));
      there.result();
      echo.result();
      back.result();
    }
  }

  private static int relay(TcpStream from, TcpStream to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(32_768);
    while (from.blocking().read(buffer.clear()) >= 0) {
      to.blocking().write(buffer.flip());
    }
    to.shutdownOutput();
    return 0;
  }

  /** What one writer of a connection saw. */
  private record Wakeups(int all, int spurious) {}

  @Test
  @Conformance(308)
  void writersAreRarelyWokenForNothingAndEveryEndIsSeenOnce() throws Exception {
    int connections = 50;
    AtomicInteger ends = new AtomicInteger();
    try (Poller poller = Poller.open();
        TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      List<Running<Wakeups>> writers = new ArrayList<>();
      List<Running<Integer>> readers = new ArrayList<>();
      int before = KernelFds.openNow().size();
      for (int i = 0; i < connections; i++) {
        TcpStream client = TcpStream.connect(poller, listener.localAddress());
        TcpStream server = TcpPair.accept(listener);
        writers.add(Running.of(() -> writeWithAwaits(client, 1_500_000)));
        readers.add(Running.of(() -> readToEnd(server, ends)));
      }
      int all = 0;
      int spurious = 0;
      for (int i = 0; i < connections; i++) {
        all += writers.get(i).result().all();
        spurious += writers.get(i).result().spurious();
        assertEquals(1_500_000, readers.get(i).result());
      }
      assertTrue(spurious <= Math.max(5, all / 20), spurious + " of " + all + " were spurious");
      assertEquals(connections, ends.get());
      assertEquals(before, KernelFds.openNow().size());
    }
  }

  private static Wakeups writeWithAwaits(TcpStream stream, int length) throws Exception {
    int all = 0;
    int spurious = 0;
    try (stream) {
      ByteBuffer source = ByteBuffer.allocateDirect(length);
      boolean woken = false;
      while (source.hasRemaining()) {
        int count = stream.tryWrite(source);
        spurious += woken && count == 0 ? 1 : 0;
        woken = false;
        if (count == 0) {
          stream.registration().blockUntil(Interest.WRITABLE);
          woken = true;
          all++;
        }
      }
    }
    return new Wakeups(all, spurious);
  }

  private static int readToEnd(TcpStream stream, AtomicInteger ends) throws Exception {
    try (stream) {
      ByteBuffer target = ByteBuffer.allocateDirect(50_000);
      int total = 0;
      for (int count; (count = stream.blocking().read(target.clear())) >= 0; ) {
        total += count;
      }
      ends.incrementAndGet();
      return total;
    }
  }
}
