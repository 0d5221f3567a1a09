package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.ClosedRegistrationException;
import dev.epoll.Poller;
import dev.epoll.PollerStats;
import dev.epoll.Readiness;
import dev.epoll.SyscallException;
import dev.epoll.Waiter;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.PollerKind;
import dev.epoll.testing.Running;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Many connections that echo messages of random sizes, written and read in random pieces, with
 * awaits that are cancelled and begun again, half-closes and closes: every byte comes back, and
 * nothing is left.
 */
@SuppressWarnings("try") // Streams are closed in the middle.
class EchoStressTest {
  private static final int CONNECTIONS = 64;
  private static final int LIVES = 4;
  private static final int MESSAGES = 20;
  private static final int LIMIT_SECONDS = 120;

  private final long seed = new Random().nextLong();
  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

  /** What goes on with one stream: made of steps, each of which ends in an await or in the end. */
  private abstract class Conversation implements Waiter {
    final TcpStream stream;
    final Random random;
    private final CountDownLatch over;

    Conversation(TcpStream stream, long seed, CountDownLatch over) {
      this.stream = stream;
      this.random = new Random(seed);
      this.over = over;
    }

    /** Goes on until it arms, or is over, which it tells by returning true. */
    abstract boolean goOn() throws Exception;

    @Override
    public void ready(Readiness readiness) {
      try {
        if (goOn()) {
          end();
        }
      } catch (Throwable e) {
        failures.add(e);
        end();
      }
    }

    @Override
    public void failed(IOException cause) {
      failures.add(cause);
      end();
    }

    private void end() {
      stream.close();
      over.countDown();
    }

    /** Awaits; sometimes only after another await was cancelled. False: try again at once. */
    boolean armed(boolean toWrite) throws IOException {
      if (random.nextInt(4) == 0) {
        Waiter other = new Cancelled();
        boolean armed = toWrite ? stream.armWrite(other) : stream.armRead(other);
        if (armed && !stream.registration().cancel(other)) {
          // It was told, and the edge with it: whoever awaits now finds that out.
          return false;
        }
      }
      return toWrite ? stream.armWrite(this) : stream.armRead(this);
    }
  }

  private final class Cancelled implements Waiter {
    @Override
    public void ready(Readiness readiness) {}

    @Override
    public void failed(IOException cause) {
      failures.add(cause);
    }
  }

  /** Sends back what comes, until the end of the stream. */
  private final class Echo extends Conversation {
    private final ByteBuffer buffer;

    Echo(TcpStream stream, long seed, CountDownLatch over) {
      super(stream, seed, over);
      int size = 1 + random.nextInt(5000);
      buffer = random.nextBoolean() ? ByteBuffer.allocate(size) : ByteBuffer.allocateDirect(size);
      buffer.limit(0);
    }

    @Override
    boolean goOn() throws IOException {
      while (true) {
        if (buffer.hasRemaining()) {
          if (stream.tryWrite(buffer) == 0 && armed(true)) {
            return false;
          }
        } else {
          int count = stream.tryRead(buffer.clear());
          buffer.flip();
          if (count < 0) {
            stream.shutdownOutput();
            return true;
          }
          if (count == 0 && armed(false)) {
            return false;
          }
        }
      }
    }
  }

  /** Sends messages, each of which it reads back; then the end, which it reads too. */
  private final class Client extends Conversation {
    private int messages;
    private byte[] sent = new byte[0];
    private ByteBuffer unsent = ByteBuffer.allocate(0);
    private int received;

    Client(TcpStream stream, long seed, CountDownLatch over) {
      super(stream, seed, over);
    }

    @Override
    boolean goOn() throws IOException {
      while (true) {
        if (received == sent.length && !nextMessage()) {
          return readsTheEnd();
        }
        boolean moved = write();
        moved |= read();
        // Both directions at once would be two awaits; what is left to write waits for room only
        // while nothing can be read, because the echo reads no more while it cannot write.
        if (!moved && armed(false)) {
          return false;
        }
      }
    }

    private boolean nextMessage() throws IOException {
      if (messages == MESSAGES) {
        return false;
      }
      if (++messages == MESSAGES && random.nextInt(3) == 0) {
        return false;
      }
      sent = new byte[1 + random.nextInt(random.nextInt(8) == 0 ? 40_000 : 600)];
      random.nextBytes(sent);
      unsent = ByteBuffer.wrap(sent);
      received = 0;
      return true;
    }

    private boolean write() throws IOException {
      if (!unsent.hasRemaining()) {
        return false;
      }
      int most = Math.min(unsent.remaining(), 1 + random.nextInt(10_000));
      ByteBuffer piece = unsent.slice(unsent.position(), most);
      int count = stream.tryWrite(piece);
      unsent.position(unsent.position() + count);
      return count > 0;
    }

    private boolean read() throws IOException {
      ByteBuffer target = ByteBuffer.allocate(1 + random.nextInt(3000));
      int count = stream.tryRead(target);
      assertTrue(count >= 0, "the end came before all was echoed");
      for (int i = 0; i < count; i++) {
        assertEquals(sent[received++], target.get(i), "another byte came back");
      }
      return count > 0;
    }

    private boolean isShutDown;

    private boolean readsTheEnd() throws IOException {
      if (!isShutDown) {
        stream.shutdownOutput();
        isShutDown = true;
      }
      while (true) {
        int count = stream.tryRead(ByteBuffer.allocate(10));
        if (count < 0) {
          return true;
        }
        assertEquals(0, count, "more came back than was sent");
        if (armed(false)) {
          return false;
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.epoll.testing.PollerKind#available")
  void everyByteOfManyConnectionsComesBack(PollerKind kind) throws Exception {
    Poller.shared();
    Map<Integer, String> before = KernelFds.openNow();
    try (Poller poller = kind.open();
        TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      Random seeds = new Random(seed);
      for (int life = 0; life < LIVES; life++) {
        CountDownLatch over = new CountDownLatch(2 * CONNECTIONS);
        List<Conversation> conversations = new ArrayList<>();
        InetSocketAddress address = listener.localAddress();
        for (int i = 0; i < CONNECTIONS; i++) {
          TcpStream client = TcpStream.connect(poller, address);
          conversations.add(new Client(client, seeds.nextLong(), over));
          conversations.add(new Echo(TcpPair.accept(listener), seeds.nextLong(), over));
        }
        conversations.forEach(conversation -> conversation.ready(Readiness.NONE));
        boolean isOver = over.await(LIMIT_SECONDS, TimeUnit.SECONDS);
        assertEquals(List.of(), List.copyOf(failures), "seed " + seed);
        assertTrue(isOver, () -> "seed " + seed + ", still waiting: " + poller.snapshot());
      }
      Eventually.until("every await has one outcome", () -> isBalanced(poller.stats()));
      assertEquals(1, poller.snapshot().registrations().size());
    }
    KernelFds.assertNoneSince(before);
  }

  private static boolean isBalanced(PollerStats stats) {
    return stats.arms() == stats.resumes() + stats.cancels() + stats.failures();
  }

  @ParameterizedTest
  @MethodSource("dev.epoll.testing.PollerKind#available")
  void whoeverIsClosedAtAnyMomentIsToldOnce(PollerKind kind) throws Exception {
    Poller.shared();
    Map<Integer, String> before = KernelFds.openNow();
    Random random = new Random(seed);
    for (int round = 0; round < 100; round++) {
      try (Poller poller = kind.open();
          TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort());
          TcpStream client = TcpStream.connect(poller, listener.localAddress());
          TcpStream server = TcpPair.accept(listener)) {
        // With small writes it is the reader that waits most, with large ones the writer.
        int size = 50 << random.nextInt(12);
        AtomicBoolean enough = new AtomicBoolean();
        Running<Boolean> reader = Running.of(() -> readToTheEnd(server));
        Running<Boolean> writer = Running.of(() -> write(client, size, enough));
        long pause = random.nextInt(300_000);
        for (long start = System.nanoTime(); System.nanoTime() - start < pause; ) {
          Thread.onSpinWait();
        }
        switch (random.nextInt(4)) {
          case 0 -> {
            server.close();
            assertFails(ClosedChannelException.class, reader);
            assertFails(SyscallException.class, writer);
          }
          case 1 -> {
            client.close();
            assertFails(ClosedChannelException.class, writer);
            assertTrue(reader.result());
          }
          case 2 -> {
            poller.close();
            assertFails(ClosedPollerException.class, reader);
            assertFails(ClosedPollerException.class, writer);
          }
          default -> {
            server.registration().close();
            // As long as there are bytes nobody waits, so nobody need be told.
            enough.set(true);
            assertFails(ClosedRegistrationException.class, reader);
            server.close();
            Eventually.until("the writer ends", writer::isDone);
          }
        }
        Eventually.until("every await has one outcome", () -> isBalanced(poller.stats()));
      }
    }
    KernelFds.assertNoneSince(before);
  }

  private void assertFails(Class<? extends IOException> type, Running<?> call) throws Exception {
    assertInstanceOf(type, call.failure(), () -> "seed " + seed);
  }

  private static boolean readToTheEnd(TcpStream stream) throws IOException {
    while (stream.blocking().read(ByteBuffer.allocate(1000)) >= 0) {
      // Once more.
    }
    return true;
  }

  private static boolean write(TcpStream stream, int size, AtomicBoolean enough)
      throws IOException {
    while (!enough.get()) {
      stream.blocking().write(ByteBuffer.allocate(size));
    }
    return true;
  }
}
