package dev.epoll.net;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedRegistrationException;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.Inotify;
import dev.epoll.fd.InotifyMask;
import dev.epoll.sys.FileNames;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnixStreamTest {
  @TempDir Path directory;
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  private UnixAddress path(String name) {
    return UnixAddress.of(directory.resolve(name));
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }

  private void echoesThrough(UnixAddress address) throws Exception {
    try (UnixListener listener = UnixListener.bind(poller, address);
        UnixStream client = UnixStream.connect(poller, listener.localAddress());
        UnixStream server = listener.blocking().accept()) {
      assertEquals(address, listener.localAddress());
      assertEquals(address, client.remoteAddress());
      assertEquals(UnixAddress.unnamed(), server.remoteAddress());
      assertEquals(5, client.blocking().write(bytes("hello")));
      ByteBuffer target = ByteBuffer.allocate(10);
      assertEquals(5, server.blocking().read(target));
      assertEquals(bytes("hello"), target.flip());
      server.shutdownOutput();
      assertEquals(-1, client.blocking().read(target.clear()));
    }
  }

  @Test
  @Conformance(391)
  void aPathAndAnAbstractNameWorkLikeTcp() throws Exception {
    echoesThrough(path("socket"));
    echoesThrough(UnixAddress.abstractName("epoll-test-" + System.nanoTime()));
    assertThrows(ConnectException.class, () -> UnixStream.connect(poller, path("socket")));
  }

  @Test
  void anUnnamedListenerGetsAnAbstractNameOfTheKernels() throws Exception {
    try (UnixListener listener = UnixListener.bind(poller, UnixAddress.unnamed())) {
      assertTrue(listener.localAddress().isAbstract(), listener.localAddress()::toString);
      UnixStream.connect(poller, listener.localAddress()).close();
    }
  }

  @Test
  void aClientOfTheJdkIsServed() throws Exception {
    Path path = directory.resolve("jdk");
    try (UnixListener listener =
            UnixListener.bind(poller, UnixAddress.of(UnixDomainSocketAddress.of(path)));
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path));
        UnixStream server = listener.blocking().accept()) {
      client.write(bytes("from the JDK"));
      assertEquals(12, server.blocking().read(ByteBuffer.allocate(100)));
      assertEquals(path, listener.localAddress().path().orElseThrow());
    }
  }

  @Test
  void whatCannotBeBoundIsABindExceptionAndLeavesNothing() throws Exception {
    UnixListener.bind(poller, path("taken")).close();
    var fds = KernelFds.openNow();
    for (UnixAddress address : List.of(path("taken"), path("no/such/folder"))) {
      BindException e = assertThrows(BindException.class, () -> UnixListener.bind(poller, address));
      assertTrue(e.getMessage().contains(address.toString()), e::getMessage);
      assertInstanceOf(SyscallException.class, e.getCause());
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> UnixListener.bind(poller, path("new"), -1, UnixListener.OWNER_ONLY));
    KernelFds.assertNoneSince(fds);
    try (var files = Files.list(directory)) {
      assertEquals(List.of(directory.resolve("taken")), files.toList());
    }
  }

  @Test
  void theSocketsFileIsForItsOwnerUnlessSaidOtherwise() throws Exception {
    UnixListener.bind(poller, path("a")).close();
    assertEquals("rw-------", permissions("a"));
    var all = PosixFilePermissions.fromString("rw-rw-rw-");
    UnixListener.bind(poller, path("b"), 1, all).close();
    assertEquals("rw-rw-rw-", permissions("b"));
  }

  /** bind(2) takes the mode of the socket, so there is no moment in which others may connect. */
  @Test
  void theSocketsFileIsForItsOwnerFromItsFirstMoment() throws Exception {
    int umask = LibC.C.umask(0);
    try {
      try (Inotify inotify = Inotify.open(poller)) {
        inotify.watch(directory, InotifyMask.ATTRIB);
        UnixListener.bind(poller, path("a")).close();
        UnixDatagramSocket.bind(poller, path("b")).close();
        assertNull(inotify.tryTake(), "its mode was changed");
      }
      assertEquals("rw-------", permissions("a"));
      assertEquals("rw-------", permissions("b"));
      byte[] name = directory.resolve("c").toString().getBytes(StandardCharsets.UTF_8);
      try (Fds fds = new Fds()) {
        int socket = fds.socket(LibC.AF_UNIX, LibC.SOCK_STREAM);
        LibC.check(LibC.C.fchmod(socket, 0600));
        byte[] address = new byte[2 + name.length];
        address[0] = LibC.AF_UNIX;
        System.arraycopy(name, 0, address, 2, name.length);
        LibC.check(LoopbackFds.SOCKETS.bind(socket, address, address.length));
      }
      assertEquals("rw-------", permissions("c"));
    } finally {
      LibC.C.umask(umask);
    }
  }

  private String permissions(String name) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(name)));
  }

  @Test
  void aFullBacklogRefusesInsteadOfBlocking() throws Exception {
    List<UnixStream> clients = new ArrayList<>();
    try (UnixListener listener =
        UnixListener.bind(poller, path("full"), 1, UnixListener.OWNER_ONLY)) {
      ConnectException e =
          assertThrows(
              ConnectException.class,
              () -> {
                while (clients.size() < 10) {
                  clients.add(UnixStream.connect(poller, path("full")));
                }
              });
      SyscallException cause = assertInstanceOf(SyscallException.class, e.getCause());
      assertEquals("EAGAIN", cause.errnoName());
      listener.blocking().accept().close();
      UnixStream.connect(poller, path("full")).close();
    } finally {
      clients.forEach(UnixStream::close);
    }
  }

  private static long own(String attribute) throws IOException {
    return Integer.toUnsignedLong((int) Files.getAttribute(Path.of("/proc/self"), attribute));
  }

  @Test
  void thePeerIsKnown() throws Exception {
    try (UnixListener listener = UnixListener.bind(poller, path("who"));
        UnixStream client = UnixStream.connect(poller, path("who"));
        UnixStream server = listener.blocking().accept()) {
      PeerCredentials peer = server.peerCredentials();
      assertEquals(LibC.C.getpid(), peer.pid());
      assertEquals(own("unix:uid"), peer.uid());
      assertEquals(own("unix:gid"), peer.gid());
      assertEquals(LibC.C.getpid(), client.peerCredentials().pid());
    }
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void closeFailsTheThreadThatReads(ThreadKind kind) throws Exception {
    try (UnixStream.Pair pair = UnixStream.pair(poller)) {
      Running<Integer> reader =
          Running.on(kind, () -> pair.first().blocking().read(ByteBuffer.allocate(1)))
              .waitingOn(pair.first().registration());
      pair.first().close();
      assertInstanceOf(ClosedRegistrationException.class, reader.failure());
    }
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void closeFailsTheThreadThatAccepts(ThreadKind kind) throws Exception {
    UnixListener listener = UnixListener.bind(poller, path("closing"));
    Running<UnixStream> accepting =
        Running.on(kind, () -> listener.blocking().accept()).waitingOn(listener.registration());
    listener.close();
    assertInstanceOf(ClosedRegistrationException.class, accepting.failure());
    assertFalse(listener.isOpen());
  }

  @Test
  void aPeerThatIsGoneIsEpipeAndTheEndOfTheStream() throws Exception {
    try (UnixStream.Pair pair = UnixStream.pair(poller)) {
      pair.second().close();
      SyscallException e =
          assertThrows(SyscallException.class, () -> pair.first().tryWrite(bytes("x")));
      assertEquals("EPIPE", e.errnoName());
      assertEquals(-1, pair.first().tryRead(ByteBuffer.allocate(1)));
      assertTrue(pair.first().registration().blockUntil(Interest.READABLE).isHangup());
    }
  }

  @Test
  void optionsOfUnixSocketsAreFewAndNamed() throws Exception {
    try (UnixStream.Pair pair = UnixStream.pair(poller)) {
      pair.first().setOption(StandardSocketOptions.SO_SNDBUF, 20_000);
      assertEquals(40_000, pair.first().getOption(StandardSocketOptions.SO_SNDBUF));
      UnsupportedOperationException e =
          assertThrows(
              UnsupportedOperationException.class,
              () -> pair.first().getOption(StandardSocketOptions.TCP_NODELAY));
      assertEquals(
          "Unix sockets have no option TCP_NODELAY: there are [SO_RCVBUF, SO_SNDBUF]",
          e.getMessage());
    }
  }

  @Test
  void addressesAreValuesAndBadOnesAreRefused() {
    assertEquals(UnixAddress.of(Path.of("/tmp/a")), UnixAddress.of(Path.of("/tmp/a")));
    assertEquals(
        UnixAddress.of(Path.of("/tmp/a")).hashCode(), UnixAddress.of(Path.of("/tmp/a")).hashCode());
    assertFalse(UnixAddress.of(Path.of("a")).equals(UnixAddress.abstractName("a")));
    assertEquals("@a", UnixAddress.abstractName("a").toString());
    assertEquals("unnamed", UnixAddress.unnamed().toString());
    assertEquals(Optional.empty(), UnixAddress.abstractName("a").path());
    assertEquals(UnixAddress.unnamed(), UnixAddress.of(UnixDomainSocketAddress.of("")));
    assertNull(UnixAddress.unnamed().path().orElse(null));
    assertThrows(IllegalArgumentException.class, () -> UnixAddress.of(Path.of("")));
    String long108 = "x".repeat(108);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> UnixAddress.of(Path.of(long108)));
    assertTrue(e.getMessage().contains("107"), e::getMessage);
    assertThrows(IllegalArgumentException.class, () -> UnixAddress.abstractName(long108));
  }

  @Test
  void aPathThatIsNoTextIsTheFileOfThatName() throws Exception {
    Path path = directory.resolve(FileNames.element(new byte[] {(byte) 0xff, 's'}));
    UnixAddress address = UnixAddress.of(path);
    try (UnixListener listener = UnixListener.bind(poller, address)) {
      assertTrue(Files.exists(path));
      assertEquals(address, listener.localAddress());
      assertEquals(Optional.of(path), listener.localAddress().path());
    }
  }

  @Test
  void theLongestPathAndAbstractNameWork() throws Exception {
    String base = directory.toString();
    Path longest = directory.resolve("x".repeat(107 - base.length() - 1));
    echoesThrough(UnixAddress.of(longest));
    echoesThrough(UnixAddress.abstractName("y".repeat(107)));
    echoesThrough(UnixAddress.abstractName("nul\0inside\0" + System.nanoTime()));
  }
}
