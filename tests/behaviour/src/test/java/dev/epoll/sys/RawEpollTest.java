package dev.epoll.sys;

import static dev.epoll.sys.Linux.EPOLLIN;
import static dev.epoll.sys.Linux.EPOLL_CTL_ADD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.Epoll;
import dev.epoll.EventMask;
import dev.epoll.sys.Seam.Event;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Signals;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the kernel answers to wrong and unusual calls, as this process's backend passes it on. */
class RawEpollTest {
  private final Syscalls syscalls = Backend.syscalls();
  private final Seam seam = new Seam(syscalls);

  @AfterEach
  void close() {
    seam.close();
  }

  @Test
  @Conformance(7)
  void ctlOnWhatIsNoEpollFails() {
    int target = seam.eventfd(0);
    int pipe = seam.pipe(Linux.O_CLOEXEC)[0];
    Seam.fails(Errno.EBADF, seam.ctl(-1, EPOLL_CTL_ADD, target, EPOLLIN, 0));
    Seam.fails(Errno.EINVAL, seam.ctl(seam.eventfd(0), EPOLL_CTL_ADD, target, EPOLLIN, 0));
    Seam.fails(Errno.EINVAL, seam.ctl(pipe, EPOLL_CTL_ADD, target, EPOLLIN, 0));
  }

  @Test
  @Conformance(14)
  void anUnknownOperationIsRefusedUnlessAFdIsBad() {
    int epfd = seam.epoll();
    int target = seam.eventfd(0);
    int closed = seam.eventfd(0);
    seam.closeNow(closed);
    for (int op : new int[] {0, 4, 42, -1}) {
      Seam.fails(Errno.EINVAL, seam.ctl(epfd, op, target, EPOLLIN, 0));
      Seam.fails(Errno.EBADF, seam.ctl(epfd, op, -1, EPOLLIN, 0));
      Seam.fails(Errno.EBADF, seam.ctl(epfd, op, closed, EPOLLIN, 0));
    }
  }

  @Test
  @Conformance(28)
  void anEpollFdIsNeitherReadNorWritten() {
    int epfd = seam.epollOver(seam.eventfd(1), EPOLLIN);
    Seam.fails(Errno.EINVAL, seam.readResult(epfd, 1));
    Seam.fails(Errno.EINVAL, seam.write(epfd, (byte) 1));
  }

  @Test
  @Conformance(34)
  void aWaitOnWhatIsNoEpollFails() {
    Seam.fails(Errno.EBADF, seam.waitResult(-1, 1, 0));
    Seam.fails(Errno.EINVAL, seam.waitResult(seam.eventfd(1), 1, 0));
    Seam.fails(Errno.EINVAL, seam.waitResult(seam.pipe(Linux.O_CLOEXEC)[0], 1, 0));
  }

  @Test
  @Conformance(35)
  void maxEventsEndsWhereItsBytesWouldOverflow() {
    int epfd = seam.epollOver(seam.eventfd(1), EPOLLIN);
    int most = Integer.MAX_VALUE / EpollEvent.SIZE;
    assertEquals(1, seam.waitResult(epfd, most, 0));
    Seam.fails(Errno.EINVAL, seam.waitResult(epfd, most + 1, 0));
    assertThrows(ArithmeticException.class, () -> new EventBuffer(syscalls, most + 1));
    assertThrows(IllegalArgumentException.class, () -> Epoll.open(most + 1));
  }

  @Test
  @Conformance(50)
  void aSignalEndsTheRawWaitAndNotThatOfEpoll() throws Exception {
    Signals.handle();
    try (Epoll epoll = Epoll.open()) {
      int target = seam.eventfd(0);
      int epfd = seam.epollOver(target, EPOLLIN);
      epoll.add(target, EventMask.IN, 7);
      InThread<Integer> raw = InThread.start("raw wait", () -> seam.waitResult(epfd, 1, -1));
      InThread<Integer> layered = InThread.start("Epoll wait", epoll::waitForEvents);
      raw.asleep();
      layered.asleep();
      Signals.send("Epoll wait");
      Signals.send("raw wait");
      Seam.fails(Errno.EINTR, raw.get());
      layered.asleep();
      assertFalse(layered.isDone());
      seam.writeLong(target, 1);
      assertEquals(1, layered.get());
      assertEquals(7, epoll.ready().data(0));
    }
  }

  @Test
  @Conformance(58)
  void memoryThatIsNotThereIsAnErrnoAndNoCrash() {
    int epfd = seam.epollOver(seam.eventfd(1), EPOLLIN);
    Seam.fails(Errno.EFAULT, syscalls.epollWait(epfd, 0, 1, 0));
    Seam.fails(Errno.EFAULT, syscalls.epollWait(epfd, -4096, 1, 0));
    Seam.fails(Errno.EFAULT, syscalls.epollCtl(epfd, EPOLL_CTL_ADD, seam.eventfd(0), 0));
    EventBuffer events = new EventBuffer(syscalls, 2);
    assertThrows(IndexOutOfBoundsException.class, () -> events.data(2));
    assertThrows(IllegalArgumentException.class, () -> new EventBuffer(syscalls, -1));
    assertEquals(1, seam.wait(epfd, 2, 0).size());
  }

  @Test
  @Conformance(242)
  void aLevelTriggeredFdInManySetsWakesEveryThreadOfEach() throws Exception {
    int sets = 10;
    int threadsPerSet = 10;
    int socket = seam.socket(Linux.AF_INET, LibC.SOCK_DGRAM);
    Seam.ok(seam.bind(socket, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)));
    List<InThread<Event>> waiting = new ArrayList<>();
    for (int set = 0; set < sets; set++) {
      int epfd = seam.epoll();
      Seam.ok(seam.ctl(epfd, EPOLL_CTL_ADD, socket, EPOLLIN, set));
      for (int i = 0; i < threadsPerSet; i++) {
        String name = "set " + set + " no " + i;
        waiting.add(InThread.start(name, () -> seam.wait(epfd, 1, -1).get(0)));
      }
    }
    for (InThread<Event> thread : waiting) {
      thread.asleep();
    }
    Seam.ok(seam.connect(socket, seam.sockname(socket, 16)));
    Seam.ok(seam.write(socket, (byte) 1));
    for (int i = 0; i < waiting.size(); i++) {
      assertEquals(new Event(EPOLLIN, i / threadsPerSet), waiting.get(i).get());
    }
  }

  /** ioctl(2), which the library itself does not call. */
  public interface Ioctl {
    int ioctl(int fd, long request, byte[] argument);
  }

  @Test
  @Conformance(404)
  void busyPollSettingsAreReadAndChecked() {
    Ioctl libc = LibraryLoader.create(Ioctl.class).load("c");
    long get = 0x80088a02L;
    long set = 0x40088a01L;
    int epfd = seam.epoll();
    byte[] settings = {1, 1, 1, 1, 1, 1, 1, 1};
    assumeTrue(libc.ioctl(epfd, get, settings) == 0, "a kernel before 6.9");
    assertArrayEquals(new byte[8], settings);
    byte[] withPadding = {0, 0, 0, 0, 0, 0, 0, 1};
    assertEquals(-1, libc.ioctl(epfd, set, withPadding));
    assertEquals(Errno.EINVAL.number, LibC.errno());
    assertEquals(-1, libc.ioctl(seam.eventfd(0), get, settings));
    assertEquals(Errno.ENOTTY.number, LibC.errno());
  }
}
