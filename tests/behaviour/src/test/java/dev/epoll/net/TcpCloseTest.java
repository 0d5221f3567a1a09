package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TcpCloseTest {
  @Test
  @Conformance({226, 319})
  void connectionsOnRecycledNumbersEachGetTheirOwnBytes() throws Exception {
    try (Poller poller = Poller.open();
        TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      Running<Integer> server = Running.of(() -> echo(listener, 400));
      List<Running<Integer>> clients = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        int first = i * 1000;
        clients.add(Running.of(() -> askOften(poller, listener, first, 20)));
      }
      for (Running<Integer> client : clients) {
        assertEquals(20, client.result());
      }
      assertEquals(400, server.result());
    }
  }

  private static int echo(TcpListener listener, int connections) throws Exception {
    for (int i = 0; i < connections; i++) {
      TcpStream stream = listener.blocking().accept();
      Running<?> unused = Running.of(() -> echo(stream));
    }
    return connections;
  }

  private static int echo(TcpStream stream) throws IOException {
    try (var channel = stream.blocking()) {
      ByteBuffer buffer = ByteBuffer.allocate(100);
      while (channel.read(buffer.clear()) >= 0) {
        channel.write(buffer.flip());
      }
      return 0;
    }
  }

  private static int askOften(Poller poller, TcpListener listener, int first, int times)
      throws Exception {
    int right = 0;
    for (int i = 0; i < times; i++) {
      try (TcpStream stream = TcpStream.connect(poller, listener.localAddress())) {
        ByteBuffer answer = ByteBuffer.allocate(Integer.BYTES);
        stream.blocking().write(ByteBuffer.allocate(Integer.BYTES).putInt(0, first + i));
        while (answer.hasRemaining()) {
          stream.blocking().read(answer);
        }
        right += answer.getInt(0) == first + i ? 1 : 0;
      }
    }
    return right;
  }

  @Test
  @Conformance(229)
  void thePeerOfAClosedStreamReadsTheEnd() throws Exception {
    try (TcpPair pair = TcpPair.open()) {
      assertEquals(0, pair.server().tryRead(ByteBuffer.allocate(1)));
      pair.client().close();
      assertEquals(-1, pair.server().blocking().read(ByteBuffer.allocate(1)));
    }
  }

  @Test
  @Conformance(232)
  void anAcceptWhoseFdWasClosedBehindTheLibraryIsCancellableAndOthersGoOn() throws Exception {
    try (Poller poller = Poller.open();
        TcpListener healthy = TcpListener.bind(poller, TcpPair.anyPort())) {
      TcpListener broken = TcpListener.bind(poller, TcpPair.anyPort());
      Running<TcpStream> brokenAccept =
          Running.of(() -> broken.blocking().accept()).waitingOn(broken.registration());
      Running<TcpStream> accept =
          Running.of(() -> healthy.blocking().accept()).waitingOn(healthy.registration());
      assertEquals(0, C.close(broken.fd()));
      SyscallException e = assertThrows(SyscallException.class, broken::tryAccept);
      assertEquals("EBADF", e.errnoName());
      broken.close();
      assertInstanceOf(ClosedChannelException.class, brokenAccept.failure());
      assertFalse(accept.isDone());
      TcpStream client = TcpStream.connect(poller, healthy.localAddress());
      accept.result().close();
      client.close();
    }
  }

  @Test
  @Conformance({346, 350})
  void everyNumberIsFreeOnceHandlesAndPollerAreClosed() throws Exception {
    TcpPair.open().close(); // the JDK opens a socket of its own with its first socket class
    var before = KernelFds.openNow();
    TcpPair pair = TcpPair.open();
    pair.poller().close();
    pair.close();
    for (SocketFd<?> socket : List.of(pair.client(), pair.server(), pair.listener())) {
      assertEquals(-1, C.fcntl(socket.fd(), LibC.F_GETFD, 0));
    }
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance(353)
  void closeFailsTheReaderAndTheWriterThatWait() throws Exception {
    try (TcpPair pair = TcpPair.open()) {
      Fds.fill(pair.client().fd());
      Running<?> reader =
          Running.of(() -> pair.client().blocking().read(ByteBuffer.allocate(1)))
              .waitingOn(pair.client().registration());
      Running<?> writer = Running.of(() -> pair.client().blocking().write(fullBuffer()));
      Eventually.until(
          "both wait",
          () ->
              pair.poller().snapshot().registrations().stream().anyMatch(fd -> fd.waiters() == 2));
      pair.client().close();
      assertInstanceOf(ClosedChannelException.class, reader.failure());
      assertInstanceOf(ClosedChannelException.class, writer.failure());
    }
  }

  private static ByteBuffer fullBuffer() {
    return ByteBuffer.allocateDirect(1_000_000);
  }

  @Test
  @Conformance(293)
  void aResetEndsTheReaderAndTheWriterThatWait() throws Exception {
    try (TcpPair pair = TcpPair.open()) {
      Fds.fill(pair.client().fd());
      Running<?> reader =
          Running.of(() -> pair.client().registration().blockUntil(Interest.READABLE))
              .waitingOn(pair.client().registration());
      Running<?> writer =
          Running.of(() -> pair.client().registration().blockUntil(Interest.WRITABLE));
      Eventually.until(
          "both wait",
          () ->
              pair.poller().snapshot().registrations().stream().anyMatch(fd -> fd.waiters() == 2));
      pair.server().setOption(StandardSocketOptions.SO_LINGER, 0);
      pair.server().close();
      reader.result();
      writer.result();
    }
  }

  @Test
  @Conformance({139, 395})
  void closesThatRaceWithThePeersCloseEndWithoutAHang() throws Exception {
    try (Poller poller = Poller.open();
        TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort())) {
      List<Running<Boolean>> ends = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        TcpStream client = TcpStream.connect(poller, listener.localAddress());
        TcpStream server = TcpPair.accept(listener);
        ends.add(Running.of(() -> writeAndClose(client)));
        ends.add(Running.of(() -> closeWhenReadable(server)));
      }
      for (Running<Boolean> end : ends) {
        assertTrue(end.result());
      }
      assertEquals(1, poller.snapshot().registrations().size());
    }
  }

  private static boolean writeAndClose(TcpStream stream) throws IOException {
    try (stream) {
      return stream.tryWrite(ByteBuffer.allocate(3)) == 3;
    }
  }

  private static boolean closeWhenReadable(TcpStream stream) throws Exception {
    try (stream) {
      return stream.registration().blockUntil(Interest.READABLE).isReadable();
    }
  }

  @Test
  @Conformance(139)
  void aConnectionThatWasNeverAcceptedIsResetWhenTheListenerCloses() throws Exception {
    try (Poller poller = Poller.open()) {
      TcpListener listener = TcpListener.bind(poller, TcpPair.anyPort());
      try (TcpStream client = TcpStream.connect(poller, listener.localAddress())) {
        listener.close();
        assertTrue(client.registration().blockUntil(Interest.READABLE).isHangup());
        assertThrows(SyscallException.class, () -> client.tryRead(ByteBuffer.allocate(1)));
      }
    }
  }
}
