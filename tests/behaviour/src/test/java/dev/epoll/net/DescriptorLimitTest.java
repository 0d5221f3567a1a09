package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.EventFd;
import dev.epoll.fd.Pipe;
import dev.epoll.fd.RegularFile;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens when no descriptor is free, and what a child process inherits. */
class DescriptorLimitTest {
  private static final int F_SETFD = 2;

  /** A child process that closes nothing of what it inherits. */
  public interface Shell {
    Shell C = LibraryLoader.create(Shell.class).load("c");

    int system(String command);
  }

  /** What {@code call} throws while no descriptor number is free, or null. */
  @SuppressWarnings("try") // the limit is held, not used
  private static Exception withoutFreeNumbers(Callable<?> call) throws Exception {
    assertEquals("x errno 0 ()", new SyscallException("x", 0, -1).getMessage().replace(":", ""));
    try (FdLimit limit = FdLimit.roomFor(0)) {
      call.call();
      return null;
    } catch (Exception e) {
      return e;
    }
  }

  private static void failsWithEmfile(String syscall, Callable<?> call) throws Exception {

    var before = KernelFds.openNow();
    SyscallException e = assertInstanceOf(SyscallException.class, withoutFreeNumbers(call));
    assertEquals("EMFILE", e.errnoName());
    assertEquals(syscall, e.call());
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance(4)
  void everyOpeningFailsWithEmfileAndWorksAgainLater() throws Exception {
    Poller.open().close();
    try (TcpPair pair = TcpPair.open()) {
      Poller poller = pair.poller();
      var address = pair.listener().localAddress();
      failsWithEmfile("eventfd", () -> EventFd.counter(poller, 0));
      failsWithEmfile("pipe2", () -> Pipe.open(poller));
      failsWithEmfile("socket", () -> TcpListener.bind(poller, TcpPair.anyPort()));
      failsWithEmfile("socket", () -> TcpStream.connect(poller, address));
      failsWithEmfile("socket", () -> UdpSocket.bind(poller, TcpPair.anyPort()));
      failsWithEmfile("socket", () -> UnixListener.bind(poller, UnixAddress.unnamed()));
      failsWithEmfile("socket", () -> UnixDatagramSocket.open(poller));
      failsWithEmfile("socketpair", () -> UnixStream.pair(poller));
      failsWithEmfile("open", () -> RegularFile.open(Path.of("/proc/self/stat")));
      EventFd.counter(poller, 0).close();
      Pipe.open(poller).close();
      TcpListener.bind(poller, TcpPair.anyPort()).close();
      TcpStream.connect(poller, address).close();
      UdpSocket.bind(poller, TcpPair.anyPort()).close();
      UnixListener.bind(poller, UnixAddress.unnamed()).close();
      UnixStream.pair(poller).close();
    }
  }

  @Test
  void aConnectionGoesOnWaitingWhileNoNumberIsFree() throws Exception {
    try (TcpPair pair = TcpPair.open();
        TcpStream client = TcpStream.connect(pair.poller(), pair.listener().localAddress())) {
      client.tryWrite(ByteBuffer.allocate(3));
      failsWithEmfile("accept4", pair.listener()::tryAccept);
      failsWithEmfile("accept4", pair.listener().blocking()::accept);
      assertTrue(pair.listener().isOpen());
      try (TcpStream server = TcpPair.accept(pair.listener())) {
        assertEquals(client.localAddress(), server.remoteAddress());
        assertEquals(3, server.blocking().read(ByteBuffer.allocate(9)));
      }
    }
  }

  @Test
  void aChildProcessInheritsNoneOfOurs(@TempDir Path directory) throws Exception {
    try (Fds fds = new Fds()) {
      int inherited = fds.pipe().a();
      check(C.fcntl(inherited, F_SETFD, 0));
      List<String> before = fdsOfAChild(directory);
      assertTrue(before.contains(KernelFds.openNow().get(inherited)));
      try (TcpPair pair = TcpPair.open();
          Pipe pipe = Pipe.open(pair.poller());
          EventFd eventFd = EventFd.counter(pair.poller(), 0)) {
        assertEquals(before, fdsOfAChild(directory));
        assertEquals(LibC.FD_CLOEXEC, C.fcntl(eventFd.fd(), LibC.F_GETFD, 0));
        assertTrue(pipe.source().isOpen());
      }
    }
  }

  /** What the fds of a child process are that does not come of this JVM's own ProcessBuilder. */
  private static List<String> fdsOfAChild(Path directory) throws Exception {
    Path list = directory.resolve("fds");
    assertEquals(0, Shell.C.system("readlink /proc/$$/fd/* > '" + list + "'; true"));
    try (Stream<String> lines = Files.lines(list)) {
      return lines.filter(line -> !line.equals(list.toString())).sorted().toList();
    }
  }
}
