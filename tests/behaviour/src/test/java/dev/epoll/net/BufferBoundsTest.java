package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.fd.Pipe;
import dev.epoll.fd.Pty;
import dev.epoll.fd.RawFd;
import dev.epoll.fd.Terminal;
import dev.epoll.testing.Fds;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Buffers of every shape through everything that reads and writes: only the bytes that remain are
 * read, only those that were moved are written, and what lies around them stays as it was.
 */
class BufferBoundsTest {
  private static final byte GUARD = 0x55;
  private static final int ROOM = 16;

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Map<String, Way> ways = new LinkedHashMap<>();

  private interface Reading {
    /** Returns false if there is nothing to read. */
    boolean into(ByteBuffer target) throws IOException;
  }

  private interface Writing {
    void from(ByteBuffer source) throws IOException;
  }

  /** From one end to the other; whole messages, or descriptors, are not moved by empty buffers. */
  private record Way(Writing write, Reading read, boolean isWhole) {}

  private <T extends AutoCloseable> T keep(T resource) {
    open.push(resource);
    return resource;
  }

  @AfterEach
  void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }

  private void openAll() throws Exception {
    Poller poller = keep(Poller.open());
    Pipe pipe = keep(Pipe.open(poller));
    ways.put(
        "pipe", new Way(pipe.sink()::tryWrite, target -> pipe.source().tryRead(target) > 0, false));
    Fds.Pair raw = keep(new Fds()).pipe();
    RawFd rawSource = keep(RawFd.borrow(poller, raw.a()));
    RawFd rawSink = keep(RawFd.borrow(poller, raw.b()));
    ways.put("raw", new Way(rawSink::tryWrite, target -> rawSource.tryRead(target) > 0, false));
    Pty pty = keep(Pty.open(poller));
    Terminal terminal = keep(pty.openTerminal());
    terminal.rawMode();
    ways.put("pty", new Way(terminal::tryWrite, target -> pty.tryRead(target) > 0, false));
    ways.put("terminal", new Way(pty::tryWrite, target -> terminal.tryRead(target) > 0, false));
    TcpPair tcp = keep(TcpPair.open());
    TcpStream client = keep(TcpStream.connect(tcp.poller(), tcp.listener().localAddress()));
    TcpStream server = keep(TcpPair.accept(tcp.listener()));
    ways.put("TCP", new Way(client::tryWrite, target -> server.tryRead(target) > 0, false));
    ways.put(
        "TCP gathered",
        new Way(
            source -> client.tryWrite(new ByteBuffer[] {source}),
            target -> server.tryRead(target) > 0,
            false));
    UnixStream.Pair unix = keep(UnixStream.pair(poller));
    ways.put(
        "Unix",
        new Way(unix.first()::tryWrite, target -> unix.second().tryRead(target) > 0, false));
    ReceivedFds fds = keep(new ReceivedFds(1));
    ways.put(
        "Unix with fds",
        new Way(
            source -> unix.second().tryWriteWithFds(source, raw.a()),
            target -> unix.first().tryReadWithFds(target, fds) > 0,
            true));
    UnixDatagramSocket receiver = keep(UnixDatagramSocket.bind(poller, UnixAddress.unnamed()));
    UnixDatagramSocket sender =
        keep(UnixDatagramSocket.open(poller)).connect(receiver.localAddress());
    ways.put(
        "Unix datagrams",
        new Way(sender::trySend, target -> receiver.tryReceive(target) != null, true));
    UdpSocket udp = keep(UdpSocket.bind(poller, TcpPair.anyPort()));
    InetSocketAddress address = udp.localAddress();
    UdpSocket udpSender = keep(UdpSocket.bind(poller, TcpPair.anyPort()));
    ways.put(
        "UDP",
        new Way(
            source -> udpSender.trySend(source, address),
            target -> udp.tryReceive(target) != null,
            true));
    UdpBatch batch = UdpBatch.allocate(1, ROOM);
    ways.put(
        "UDP batch",
        new Way(
            source -> {
              batch.add(source, address);
              udpSender.trySend(batch);
            },
            target -> udp.tryReceive(target) != null,
            true));
  }

  /** A buffer, the memory that it is part of, and where in that its position 0 is. */
  private record Shape(ByteBuffer buffer, ByteBuffer memory, int start) {
    byte[] bytes() {
      byte[] bytes = new byte[memory.capacity()];
      memory.get(0, bytes);
      return bytes;
    }
  }

  private static Map<String, Shape> shapes() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (boolean isDirect : new boolean[] {false, true}) {
      String kind = isDirect ? "direct" : "heap";
      ByteBuffer whole = guarded(isDirect);
      shapes.put(kind, new Shape(whole.duplicate(), whole, 0));
      ByteBuffer part = guarded(isDirect);
      shapes.put(
          kind + ", a part", new Shape(part.duplicate().position(3).limit(3 + ROOM), part, 0));
      ByteBuffer sliced = guarded(isDirect);
      shapes.put(kind + ", a slice", new Shape(sliced.slice(5, ROOM), sliced, 5));
      ByteBuffer both = guarded(isDirect);
      ByteBuffer slice = both.slice(7, ROOM + 4).order(ByteOrder.LITTLE_ENDIAN);
      shapes.put(kind + ", a part of a slice", new Shape(slice.position(2).limit(9), both, 7));
      ByteBuffer one = guarded(isDirect);
      shapes.put(
          kind + ", its last byte", new Shape(one.duplicate().position(one.limit() - 1), one, 0));
    }
    return shapes;
  }

  private static ByteBuffer guarded(boolean isDirect) {
    ByteBuffer memory =
        isDirect ? ByteBuffer.allocateDirect(2 * ROOM) : ByteBuffer.allocate(2 * ROOM);
    for (int i = 0; i < memory.capacity(); i++) {
      memory.put(i, GUARD);
    }
    return memory;
  }

  private static ByteBuffer numbered(int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    for (int i = 0; i < count; i++) {
      bytes.put(i, (byte) (i + 1));
    }
    return bytes;
  }

  @Test
  void readingWritesWhatItMovesAndNothingBeside() throws Exception {
    openAll();
    for (Map.Entry<String, Way> way : ways.entrySet()) {
      for (Map.Entry<String, Shape> shape : shapes().entrySet()) {
        String what = way.getKey() + " into " + shape.getKey();
        // More than there is room for, and less.
        readsInto(what, way.getValue(), shape.getValue(), 2 * ROOM);
      }
      for (Map.Entry<String, Shape> shape : shapes().entrySet()) {
        readsInto(way.getKey() + " into " + shape.getKey(), way.getValue(), shape.getValue(), 1);
      }
    }
  }

  private static void readsInto(String what, Way way, Shape shape, int sent) throws IOException {
    int limitOfBatch = Math.min(sent, ROOM);
    way.write().from(numbered(limitOfBatch));
    ByteBuffer target = shape.buffer();
    int position = target.position();
    int limit = target.limit();
    int moved = Math.min(limitOfBatch, target.remaining());
    byte[] expected = shape.bytes();
    System.arraycopy(numbered(moved).array(), 0, expected, shape.start() + position, moved);
    while (!way.read().into(target)) {
      Thread.onSpinWait();
    }
    assertEquals(position + moved, target.position(), what);
    assertEquals(limit, target.limit(), what);
    assertArrayEquals(expected, shape.bytes(), what);
    drain(way);
  }

  private static void drain(Way way) throws IOException {
    while (way.read().into(ByteBuffer.allocate(100))) {
      // Until it would block.
    }
  }

  @Test
  void writingReadsWhatRemainsAndChangesNothing() throws Exception {
    openAll();
    for (Map.Entry<String, Way> way : ways.entrySet()) {
      for (Map.Entry<String, Shape> shape : shapes().entrySet()) {
        for (boolean isReadOnly : new boolean[] {false, true}) {
          writesFrom(
              way.getKey() + " from " + shape.getKey(),
              way.getValue(),
              shape.getValue(),
              isReadOnly);
        }
      }
    }
  }

  private static void writesFrom(String what, Way way, Shape shape, boolean isReadOnly)
      throws IOException {
    for (int i = 0; i < shape.memory().capacity(); i++) {
      shape.memory().put(i, (byte) i);
    }
    byte[] before = shape.bytes();
    ByteBuffer buffer = shape.buffer().duplicate();
    buffer.limit(Math.min(buffer.limit(), buffer.position() + ROOM));
    int position = buffer.position();
    int count = buffer.remaining();
    ByteBuffer source = isReadOnly ? buffer.asReadOnlyBuffer() : buffer;
    way.write().from(source);
    assertEquals(position + count, source.position(), what);
    assertEquals(position + count, source.limit(), what);
    assertArrayEquals(before, shape.bytes(), what);
    ByteBuffer received = ByteBuffer.allocate(100);
    while (received.position() < count) {
      way.read().into(received);
    }
    int start = shape.start() + position;
    assertArrayEquals(
        Arrays.copyOfRange(before, start, start + count),
        Arrays.copyOf(received.array(), received.position()),
        what);
  }

  @Test
  void nothingIsReadIntoAReadOnlyBuffer() throws Exception {
    openAll();
    for (Map.Entry<String, Way> way : ways.entrySet()) {
      Reading read = way.getValue().read();
      for (Shape shape : shapes().values()) {
        way.getValue().write().from(numbered(3));
        ByteBuffer target = shape.buffer().asReadOnlyBuffer();
        assertThrows(IllegalArgumentException.class, () -> read.into(target), way.getKey());
        ByteBuffer received = ByteBuffer.allocate(100);
        while (!read.into(received)) {
          Thread.onSpinWait();
        }
        assertEquals(3, received.position(), () -> way.getKey() + " keeps what it did not read");
        assertTrue(Arrays.equals(shape.bytes(), guarded(false).array()), way.getKey());
      }
    }
  }

  @Test
  void anEmptyBufferMovesNothing() throws Exception {
    openAll();
    for (Map.Entry<String, Way> way : ways.entrySet()) {
      if (!way.getValue().isWhole()) {
        for (Shape shape : shapes().values()) {
          ByteBuffer empty = shape.buffer().limit(shape.buffer().position());
          way.getValue().write().from(empty);
          assertEquals(false, way.getValue().read().into(empty), way.getKey());
          way.getValue().write().from(numbered(1));
          assertEquals(false, way.getValue().read().into(empty), way.getKey());
          assertArrayEquals(guarded(false).array(), shape.bytes(), way.getKey());
          drainAll(way.getValue());
        }
      }
    }
  }

  private static void drainAll(Way way) throws IOException {
    ByteBuffer received = ByteBuffer.allocate(1);
    while (!way.read().into(received)) {
      Thread.onSpinWait();
    }
  }
}
