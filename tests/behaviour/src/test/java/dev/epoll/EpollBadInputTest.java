package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.Fds;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every refusal leaves the table, the kernel's list and the fds of the process as they were. */
class EpollBadInputTest {
  private static final EventMask IN = EventMask.IN;
  private static final int UNUSED_FD = 9999;
  private static final int O_CREAT = 0x40;

  private final Fds fds = new Fds();
  private Epoll epoll;
  private int good;

  @BeforeEach
  void openASetOfOne() throws Exception {
    epoll = Epoll.open();
    good = fds.eventfd(1);
    epoll.add(good, IN, 42);
  }

  @AfterEach
  void close() {
    epoll.close();
    fds.close();
  }

  @Test
  @Conformance(8)
  void fdsThatAreNotOpenAreRefused() throws Exception {
    int closed = fds.eventfd(0);
    fds.close(closed);
    for (int fd : new int[] {-1, UNUSED_FD, closed, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      refusesEverything("EBADF", fd);
    }
  }

  @Test
  @Conformance(10)
  void whatCannotBePolledIsRefusedByItsName(@TempDir Path directory) throws Exception {
    String file = directory.resolve("regular").toString();
    refusesAsUnpollable(fds.open(file, LibC.O_RDWR | O_CREAT), file);
    refusesAsUnpollable(fds.open(directory.toString(), LibC.O_RDONLY), directory.toString());
    refusesAsUnpollable(fds.open("/dev/null", LibC.O_RDWR), "/dev/null");
    refusesAsUnpollable(fds.open("/dev/zero", LibC.O_RDONLY), "/dev/zero");
    int memfd = check(C.memfd_create("some memory", 0));
    try {
      refusesAsUnpollable(memfd, "some memory");
    } finally {
      check(C.close(memfd));
    }
  }

  private void refusesAsUnpollable(int fd, String name) throws Exception {
    refusesEverything("EPERM", fd);
    SyscallException refused = assertThrows(SyscallException.class, () -> epoll.add(fd, IN, 1));
    assertTrue(refused.getMessage().contains(name), refused::getMessage);
  }

  @Test
  @Conformance(11)
  void pathOnlyFdsAreRefused() throws Exception {
    refusesEverything("EBADF", fds.open("/", LibC.O_PATH));
  }

  @Test
  @Conformance(13)
  void theSetItselfIsRefused() throws Exception {
    refusesEverything("EINVAL", epoll.fd());
    refusesEverything("EINVAL", fds.dup(epoll.fd()));
  }

  private void refusesEverything(String errno, int fd) throws Exception {
    refuses(errno, () -> epoll.add(fd, IN, 1));
    refuses(errno, () -> epoll.modify(fd, IN, 1));
    refuses(errno, () -> epoll.set(fd, IN, 1));
    refuses(errno, () -> epoll.remove(fd));
  }

  private void refuses(String errno, Executable call) throws Exception {
    SyscallException refused = leavesAllAsItWas(() -> assertThrows(SyscallException.class, call));
    assertEquals(errno, refused.errnoName());
    assertTrue(refused.getMessage().contains(errno), refused::getMessage);
  }

  private interface Refused<T> {
    T get() throws Exception;
  }

  private <T> T leavesAllAsItWas(Refused<T> refused) throws Exception {
    var openBefore = KernelFds.openNow();
    T result = refused.get();
    KernelFds.assertNoneSince(openBefore);
    List<Epoll.Entry> expected = List.of(new Epoll.Entry(good, IN, 42));
    assertEquals(expected, epoll.entries());
    assertEquals(expected, epoll.kernelEntries());
    assertEquals(List.of(new Harvest.Event(IN, 42)), Harvest.now(epoll));
    return result;
  }

  @Test
  void nullMasksAreRefused() throws Exception {
    int other = fds.eventfd(0);
    for (int fd : new int[] {good, other}) {
      leavesAllAsItWas(
          () -> assertThrows(NullPointerException.class, () -> epoll.add(fd, null, 1)));
      leavesAllAsItWas(
          () -> assertThrows(NullPointerException.class, () -> epoll.modify(fd, null, 1)));
      leavesAllAsItWas(
          () -> assertThrows(NullPointerException.class, () -> epoll.set(fd, null, 1)));
    }
  }

  @Test
  @Conformance(55)
  void nullAndNegativeTimeoutsAreRefusedAndTheNextWaitWorks() throws Exception {
    leavesAllAsItWas(
        () -> assertThrows(NullPointerException.class, () -> epoll.waitForEvents(null)));
    for (Duration negative :
        List.of(Duration.ofNanos(-1), Duration.ofMillis(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
      IllegalArgumentException refused =
          leavesAllAsItWas(
              () ->
                  assertThrows(
                      IllegalArgumentException.class, () -> epoll.waitForEvents(negative)));
      assertTrue(refused.getMessage().contains("timeout is " + negative), refused::getMessage);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE / 16 + 1})
  void aSetForAnImpossibleNumberOfEventsIsRefused(int maxReadyEvents) {
    var before = KernelFds.openNow();
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Epoll.open(maxReadyEvents));
    assertTrue(refused.getMessage().contains(Integer.toString(maxReadyEvents)));
    KernelFds.assertNoneSince(before);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 42, 0x80000 + 1})
  @Conformance(2)
  void flagsThatEpollCreateDoesNotKnowAreRefused(int flags) {
    var before = KernelFds.openNow();
    assertEquals(-Errno.EINVAL.number, Backend.syscalls().epollCreate1(flags));
    KernelFds.assertNoneSince(before);
  }

  @Test
  @Conformance(4)
  void withNoFdFreeOpenFailsAndLaterSucceeds() throws Exception {
    assertThrows(SyscallException.class, () -> epoll.add(-1, IN, 1)); // loads what a failure needs
    var before = KernelFds.openNow();
    SyscallException failure =
        FdLimit.whileReached(() -> assertThrows(SyscallException.class, Epoll::open));
    assertEquals("EMFILE", failure.errnoName());
    assertEquals("epoll_create1", failure.call());
    KernelFds.assertNoneSince(before);
    try (Epoll second = Epoll.open()) {
      assertEquals(0, Harvest.count(second));
    }
  }

  @Test
  void withNoFdFreeARefusedAddStillNamesItsErrno() throws Exception {
    assertThrows(SyscallException.class, () -> epoll.add(good, IN, 1));
    SyscallException failure =
        FdLimit.whileReached(
            () -> assertThrows(SyscallException.class, () -> epoll.add(good, EventMask.OUT, 1)));
    assertEquals("EEXIST", failure.errnoName());
    assertEquals(List.of(new Epoll.Entry(good, IN, 42)), epoll.entries());
  }
}
