package dev.epoll.net;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Epoll;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.EventFd;
import dev.epoll.fd.Inotify;
import dev.epoll.fd.PidFd;
import dev.epoll.fd.Pipe;
import dev.epoll.fd.Pty;
import dev.epoll.fd.RegularFile;
import dev.epoll.fd.TimerFd;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
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
      Map<Integer, String> open = Fds.openNow();
      Deque<AutoCloseable> ours = new ArrayDeque<>();
      try {
        openOneOfEach(ours, directory);
        assertEquals(before, fdsOfAChild(directory));
        Map<Integer, String> opened = new TreeMap<>(Fds.openNow());
        opened.keySet().removeAll(open.keySet());
        assertTrue(opened.size() >= ours.size(), opened::toString);
        for (int fd : opened.keySet()) {
          assertEquals(LibC.FD_CLOEXEC, C.fcntl(fd, LibC.F_GETFD, 0), () -> fd + " of " + opened);
        }
      } finally {
        while (!ours.isEmpty()) {
          ours.pop().close();
        }
      }
    }
  }

  private static void openOneOfEach(Deque<AutoCloseable> ours, Path directory) throws Exception {
    Poller poller = Poller.open();
    ours.push(poller);
    ours.push(Epoll.open());
    ours.push(TcpPair.open());
    ours.push(UdpSocket.bind(poller, TcpPair.anyPort()));
    UnixListener listener = UnixListener.bind(poller, UnixAddress.of(directory.resolve("socket")));
    ours.push(listener);
    ours.push(UnixStream.connect(poller, listener.localAddress()));
    ours.push(Objects.requireNonNull(listener.tryAccept()));
    ours.push(UnixDatagramSocket.bind(poller, UnixAddress.unnamed()));
    UnixStream.Pair pair = UnixStream.pair(poller);
    ours.push(pair);
    Pipe pipe = Pipe.open(poller);
    ours.push(pipe);
    pair.first().tryWriteWithFds(ByteBuffer.allocate(1), pipe.source().fd());
    ReceivedFds received = new ReceivedFds(1);
    ours.push(received);
    pair.second().tryReadWithFds(ByteBuffer.allocate(1), received);
    assertEquals(1, received.size());
    ours.push(EventFd.counter(poller, 0));
    ours.push(TimerFd.open(poller));
    ours.push(Inotify.open(poller));
    Pty pty = Pty.open(poller);
    ours.push(pty);
    ours.push(pty.openTerminal());
    ours.push(PidFd.open(poller, ProcessHandle.current().pid()));
    ours.push(RegularFile.open(Path.of("/proc/self/stat")));
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
