package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.ClosedRegistrationException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.InterruptedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.NotYetConnectedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnixDatagramTest {
  @TempDir Path directory;
  private Poller poller;
  private UnixAddress address;
  private UnixDatagramSocket receiver;
  private UnixDatagramSocket sender;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    address = UnixAddress.of(directory.resolve("receiver"));
    receiver = UnixDatagramSocket.bind(poller, address);
    sender = UnixDatagramSocket.open(poller);
  }

  @AfterEach
  void close() {
    sender.close();
    receiver.close();
    poller.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 66_000, 150_000})
  @Conformance(391)
  void messagesOfEverySizeArriveWhole(int size) throws Exception {
    for (boolean direct : new boolean[] {true, false}) {
      byte[] bytes = new byte[size];
      new java.util.Random(size).nextBytes(bytes);
      ByteBuffer source =
          direct ? ByteBuffer.allocateDirect(size).put(bytes).flip() : ByteBuffer.wrap(bytes);
      assertTrue(sender.trySend(source, address));
      ByteBuffer target =
          direct ? ByteBuffer.allocateDirect(200_000) : ByteBuffer.allocate(200_000);
      assertEquals(UnixAddress.unnamed(), receiver.tryReceive(target));
      assertEquals(ByteBuffer.wrap(bytes), target.flip());
      assertNull(receiver.tryReceive(target));
    }
  }

  @Test
  void whoHasANameCanBeAnswered() throws Exception {
    try (UnixDatagramSocket named = UnixDatagramSocket.bind(poller, UnixAddress.unnamed())) {
      named.trySend(ByteBuffer.allocate(1), address);
      UnixAddress from = receiver.tryReceive(ByteBuffer.allocate(1));
      assertEquals(named.localAddress(), from);
      assertTrue(receiver.trySend(ByteBuffer.allocate(2), from));
      assertEquals(address, named.blocking().receive(ByteBuffer.allocate(2)));
    }
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(directory.resolve("receiver"))));
  }

  @Test
  void aConnectedSenderNeedsNoTarget() throws Exception {
    assertThrows(NotYetConnectedException.class, () -> sender.trySend(ByteBuffer.allocate(1)));
    sender.connect(address);
    assertTrue(sender.trySend(ByteBuffer.allocate(1)));
    assertEquals(UnixAddress.unnamed(), receiver.tryReceive(ByteBuffer.allocate(1)));
    receiver.close();
    assertThrows(ConnectException.class, () -> sender.trySend(ByteBuffer.allocate(1)));
    assertThrows(ConnectException.class, () -> sender.connect(address));
    assertThrows(BindException.class, () -> UnixDatagramSocket.bind(poller, address));
  }

  /** Fills the receiver's queue, which holds net.unix.max_dgram_qlen messages. */
  private int fill() throws Exception {
    int sent = 0;
    while (sender.trySend(ByteBuffer.allocate(1), address)) {
      sent++;
    }
    return sent;
  }

  private void drain(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      receiver.blocking().receive(ByteBuffer.allocate(1));
    }
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void aSenderWaitsForAFullQueueWhetherConnectedOrNot(ThreadKind kind) throws Exception {
    int queued = fill();
    Running<Boolean> unconnected =
        Running.on(
            kind,
            () -> {
              sender.blocking().send(ByteBuffer.allocate(1), address);
              return true;
            });
    drain(queued + 1);
    assertTrue(unconnected.result());
    queued = fill();
    sender.connect(address);
    assertFalse(sender.trySend(ByteBuffer.allocate(1)));
    Running<Boolean> connected =
        Running.on(
                kind,
                () -> {
                  sender.blocking().send(ByteBuffer.allocate(1));
                  return true;
                })
            .waitingOn(sender.registration());
    drain(queued + 1);
    assertTrue(connected.result());
  }

  /** Why {@link DatagramEndpoint#isWritabilityMute()} is there. */
  @Test
  void aFullQueueDoesNotShowInTheWritabilityOfAnUnconnectedSender() throws Exception {
    fill();
    assertTrue(sender.isWritabilityMute());
    assertTrue(sender.registration().blockUntil(Interest.WRITABLE).isWritable());
    assertFalse(sender.trySend(ByteBuffer.allocate(1), address));
  }

  @Test
  void aSenderThatWaitsEndsByCloseAndByInterrupt() throws Exception {
    fill();
    Running<?> interrupted =
        Running.of(
            () -> {
              sender.blocking().send(ByteBuffer.allocate(1), address);
              return null;
            });
    interrupted.interrupt();
    assertInstanceOf(InterruptedIOException.class, interrupted.failure());
    assertTrue(interrupted.interruptedAtEnd());
    Running<?> closed =
        Running.of(
            () -> {
              sender.blocking().send(ByteBuffer.allocate(1), address);
              return null;
            });
    sender.close();
    assertInstanceOf(java.nio.channels.ClosedChannelException.class, closed.failure());
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void aSenderThatWaitsForAFullQueueEndsWithThePoller(ThreadKind kind) throws Exception {
    fill();
    Running<?> waiting =
        Running.on(
                kind,
                () -> {
                  sender.blocking().send(ByteBuffer.allocate(1), address);
                  return null;
                })
            .waitingOn(sender.registration());
    poller.close();
    assertInstanceOf(ClosedPollerException.class, waiting.failure());
  }

  @Test
  void closeFailsTheReceiverThatWaits() throws Exception {
    Running<?> waiting =
        Running.of(() -> receiver.blocking().receive(ByteBuffer.allocate(1)))
            .waitingOn(receiver.registration());
    receiver.close();
    assertInstanceOf(ClosedRegistrationException.class, waiting.failure());
  }
}
