package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TcpStreamContractTest {
  private TcpPair pair;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @Test
  void finishConnectOfAClosedStreamSaysClosed() {
    pair.client().close();
    assertThrows(ClosedChannelException.class, pair.client()::finishConnect);
  }

  @Test
  void aStreamThatWasClosedWhileConnectingSaysClosed() throws Exception {
    TcpStream stream =
        TcpStream.startConnect(pair.poller(), pair.listener().localAddress(), TcpOptions.none());
    stream.close();
    ByteBuffer buffer = ByteBuffer.allocate(1);
    assertThrows(ClosedChannelException.class, () -> stream.tryRead(buffer));
    assertThrows(ClosedChannelException.class, () -> stream.tryWrite(buffer));
    assertThrows(ClosedChannelException.class, () -> stream.tryWrite(new ByteBuffer[] {buffer}));
  }

  @Test
  void afterShutdownInputReadsReturnTheEndWhateverComes() throws Exception {
    pair.client().shutdownInput();
    ByteBuffer target = ByteBuffer.allocate(10);
    assertEquals(-1, pair.client().tryRead(target));
    pair.server().tryWrite(ByteBuffer.allocate(4));
    Eventually.until("the bytes are there", () -> unread(pair.client()) == 4);
    assertEquals(-1, pair.client().tryRead(target));
  }

  private static int unread(TcpStream stream) {
    byte[] bytes = new byte[10];
    int msgPeekDontWait = 0x42;
    return (int) LibC.C.recv(stream.fd(), bytes, bytes.length, msgPeekDontWait);
  }

  @Test
  void aDrainedChannelRefusesAReadOnlyTargetInsteadOfWaiting() throws Exception {
    assertEquals(0, pair.client().tryRead(ByteBuffer.allocate(1)));
    assertTrue(pair.client().isDrained());
    ByteBuffer readOnly = ByteBuffer.allocate(1).asReadOnlyBuffer();
    Running<Integer> reader = Running.of(() -> pair.client().blocking().read(readOnly));
    Eventually.until("it ends or waits", () -> reader.isDone() || waits());
    pair.client().close();
    assertInstanceOf(IllegalArgumentException.class, reader.failure());
    assertEquals(0, Fds.drain(pair.server().fd()));
  }

  private boolean waits() {
    return pair.poller().snapshot().registrations().stream().anyMatch(fd -> fd.waiters() > 0);
  }
}
