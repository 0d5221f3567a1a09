package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class UdpBatchTest {
  private Poller poller;
  private UdpSocket a;
  private UdpSocket b;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    a = UdpSocket.bind(poller, TcpPair.anyPort());
    b = UdpSocket.bind(poller, TcpPair.anyPort());
  }

  @AfterEach
  void close() {
    a.close();
    b.close();
    poller.close();
  }

  private static ByteBuffer message(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(value).flip();
  }

  @Test
  void aBatchArrivesInOrderWithItsSenders() throws Exception {
    UdpBatch sent = UdpBatch.allocate(40, 100);
    for (int i = 0; i < 40; i++) {
      assertTrue(sent.add(message(i), b.localAddress()));
    }
    assertFalse(sent.add(message(99), b.localAddress()));
    assertEquals(40, sent.size());
    assertEquals(40, a.trySend(sent));
    assertTrue(sent.isEmpty());
    UdpBatch received = UdpBatch.allocate(16, 100);
    List<Integer> values = new ArrayList<>();
    while (values.size() < 40) {
      b.registration().blockUntil(Interest.READABLE);
      int count = b.tryReceive(received);
      assertEquals(count, received.size());
      for (int i = 0; i < count; i++) {
        assertEquals(a.localAddress(), received.sender(i));
        assertFalse(received.isTruncated(i));
        values.add(received.bytes(i).getInt());
      }
    }
    assertEquals(0, b.tryReceive(received));
    assertTrue(received.isEmpty());
    for (int i = 0; i < 40; i++) {
      assertEquals(i, values.get(i));
    }
  }

  @Test
  void aConnectedSocketNeedsNoTargets() throws Exception {
    a.connect(b.localAddress());
    UdpBatch batch = UdpBatch.allocate(2, 10);
    batch.add(message(1));
    batch.add(ByteBuffer.allocate(0));
    assertEquals(2, a.trySend(batch));
    b.registration().blockUntil(Interest.READABLE);
    assertEquals(2, b.tryReceive(batch));
    assertEquals(1, batch.bytes(0).getInt());
    assertEquals(0, batch.bytes(1).remaining());
  }

  @Test
  void aBatchThatWasReceivedGoesBackAsItCame() throws Exception {
    UdpBatch batch = UdpBatch.allocate(3, 100);
    batch.add(ByteBuffer.allocate(100), b.localAddress());
    assertEquals(1, a.trySend(batch));
    b.registration().blockUntil(Interest.READABLE);
    assertEquals(1, b.tryReceive(batch));
    a.trySend(message(7), b.localAddress());
    a.trySend(ByteBuffer.allocate(0), b.localAddress());
    b.registration().blockUntil(Interest.READABLE);
    assertEquals(2, b.tryReceive(batch));
    assertEquals(2, b.trySend(batch));
    a.registration().blockUntil(Interest.READABLE);
    assertEquals(2, a.tryReceive(batch));
    assertEquals(message(7), batch.bytes(0));
    assertEquals(0, batch.bytes(1).remaining());
  }

  @Test
  void whatIsLongerThanTheRoomIsCutOffAndSaysSo() throws Exception {
    a.trySend(ByteBuffer.allocate(50), b.localAddress());
    a.trySend(ByteBuffer.allocate(5), b.localAddress());
    UdpBatch batch = UdpBatch.allocate(2, 10);
    b.registration().blockUntil(Interest.READABLE);
    assertEquals(2, b.tryReceive(batch));
    assertEquals(10, batch.bytes(0).remaining());
    assertTrue(batch.isTruncated(0));
    assertEquals(5, batch.bytes(1).remaining());
    assertFalse(batch.isTruncated(1));
  }

  @Test
  void aBatchWithoutTargetsNeedsAConnection() {
    UdpBatch batch = UdpBatch.allocate(1, 10);
    batch.add(message(1));
    assertThrows(NotYetConnectedException.class, () -> a.trySend(batch));
    assertThrows(IllegalStateException.class, () -> batch.sender(0));
    assertEquals(1, batch.size());
  }

  @Test
  void whatWasAddedHasItsOwnLengthNotThatOfWhatWasReceivedThere() throws Exception {
    a.trySend(ByteBuffer.allocate(50), b.localAddress());
    UdpBatch batch = UdpBatch.allocate(2, 100);
    b.registration().blockUntil(Interest.READABLE);
    assertEquals(1, b.tryReceive(batch));
    batch.clear();
    batch.add(message(7), a.localAddress());
    assertEquals(message(7), batch.bytes(0));
  }

  @Test
  void aMessageThatCannotBeSentStaysInFront() throws Exception {
    UdpBatch batch = UdpBatch.allocate(3, 65_535);
    batch.add(message(1), b.localAddress());
    batch.add(ByteBuffer.allocate(65_535), b.localAddress());
    batch.add(message(3), b.localAddress());
    assertEquals(1, a.trySend(batch));
    SyscallException e = assertThrows(SyscallException.class, () -> a.trySend(batch));
    assertEquals("EMSGSIZE", e.errnoName());
    assertEquals(2, batch.size());
    batch.removeFirst();
    assertEquals(message(3), batch.bytes(0));
    assertEquals(1, a.trySend(batch));
    assertThrows(NoSuchElementException.class, batch::removeFirst);
    assertEquals(0, a.trySend(batch));
  }

  @Test
  void badInputIsRefused() throws Exception {
    assertThrows(IllegalArgumentException.class, () -> UdpBatch.allocate(0, 1));
    assertThrows(IllegalArgumentException.class, () -> UdpBatch.allocate(1025, 1));
    assertThrows(IllegalArgumentException.class, () -> UdpBatch.allocate(1, 0));
    assertThrows(IllegalArgumentException.class, () -> UdpBatch.allocate(1, 65_536));
    UdpBatch batch = UdpBatch.allocate(2, 10);
    InetSocketAddress target = b.localAddress();
    assertThrows(IllegalArgumentException.class, () -> batch.add(ByteBuffer.allocate(11), target));
    assertThrows(
        UnresolvedAddressException.class,
        () -> batch.add(message(1), InetSocketAddress.createUnresolved("no.such.host", 1)));
    assertTrue(batch.isEmpty());
    assertThrows(IndexOutOfBoundsException.class, () -> batch.bytes(0));
    assertThrows(IndexOutOfBoundsException.class, () -> batch.sender(-1));
    a.close();
    assertThrows(ClosedChannelException.class, () -> a.tryReceive(batch));
  }
}
