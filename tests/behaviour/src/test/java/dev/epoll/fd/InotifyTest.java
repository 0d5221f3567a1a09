package dev.epoll.fd;

import static dev.epoll.fd.InotifyMask.ALL_EVENTS;
import static dev.epoll.fd.InotifyMask.ATTRIB;
import static dev.epoll.fd.InotifyMask.CLOSE_WRITE;
import static dev.epoll.fd.InotifyMask.CREATE;
import static dev.epoll.fd.InotifyMask.DELETE;
import static dev.epoll.fd.InotifyMask.DELETE_SELF;
import static dev.epoll.fd.InotifyMask.IGNORED;
import static dev.epoll.fd.InotifyMask.IS_DIRECTORY;
import static dev.epoll.fd.InotifyMask.MODIFY;
import static dev.epoll.fd.InotifyMask.MOVE;
import static dev.epoll.fd.InotifyMask.OPEN;
import static dev.epoll.fd.InotifyMask.OVERFLOW;
import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.ClosedRegistrationException;
import dev.epoll.Epoll;
import dev.epoll.EventMask;
import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.FileNames;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class InotifyTest {
  private static final int NAME_MAX = 255;

  @TempDir private Path directory;
  private Poller poller;
  private Inotify inotify;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
    inotify = Inotify.open(poller);
  }

  @AfterEach
  void close() {
    inotify.close();
    poller.close();
  }

  /** All that is in the queue: what a call made has happened when it returns. */
  private List<InotifyEvent> taken() throws IOException {
    List<InotifyEvent> events = new ArrayList<>();
    for (InotifyEvent event; (event = inotify.tryTake()) != null; ) {
      events.add(event);
    }
    return events;
  }

  private static List<String> told(List<InotifyEvent> events) {
    return events.stream().map(event -> event.mask() + " " + event.path()).toList();
  }

  private Path create(String name) throws IOException {
    return Files.createFile(directory.resolve(name));
  }

  @Test
  void tellsWhatHappensInADirectoryInOrder() throws Exception {
    Inotify.Watch watch =
        inotify.watch(directory, CREATE.or(DELETE).or(MOVE).or(MODIFY).or(CLOSE_WRITE).or(ATTRIB));
    assertEquals(List.of(), taken());
    Path file = directory.resolve("file");
    Path moved = directory.resolve("moved");
    Path sub = directory.resolve("sub");
    Files.writeString(file, "text");
    Files.move(file, moved);
    Files.delete(moved);
    Files.createDirectory(sub);
    List<InotifyEvent> events = taken();
    assertEquals(
        List.of(
            "CREATE " + file,
            "MODIFY " + file,
            "CLOSE_WRITE " + file,
            "MOVED_FROM " + file,
            "MOVED_TO " + moved,
            "DELETE " + moved,
            "CREATE|IS_DIRECTORY " + sub),
        told(events));
    assertTrue(events.stream().allMatch(event -> event.watch() == watch));
    assertEquals(Path.of("file"), events.get(0).name());
    assertNotEquals(0, events.get(3).cookie());
    assertEquals(events.get(3).cookie(), events.get(4).cookie());
    assertEquals(0, events.get(5).cookie());
  }

  @Test
  void anEventOfWhatIsWatchedItselfHasNoName() throws Exception {
    Path file = create("file");
    inotify.watch(file, MODIFY.or(DELETE_SELF));
    Files.writeString(file, "text");
    Files.delete(file);
    List<InotifyEvent> events = taken();
    assertEquals(List.of("MODIFY " + file, "DELETE_SELF " + file, "IGNORED " + file), told(events));
    assertNull(events.get(0).name());
  }

  @Test
  void eachTakingTakesOneEventWhateverTheLengthOfItsName() throws Exception {
    Path quiet = create("quiet");
    inotify.watch(quiet, ATTRIB);
    inotify.watch(directory, CREATE);
    for (int length = 1; length <= NAME_MAX; length++) {
      create("x".repeat(length));
      // Without a name: the smallest event, which would fit behind a small one.
      Files.setPosixFilePermissions(quiet, Files.getPosixFilePermissions(quiet));
    }
    for (int length = 1; length <= NAME_MAX; length++) {
      assertTrue(inotify.registration().blockUntil(Interest.READABLE, Duration.ZERO).isReadable());
      InotifyEvent created = inotify.tryTake();
      assertEquals(Path.of("x".repeat(length)), created.name());
      assertEquals(ATTRIB, inotify.tryTake().mask());
    }
    assertNull(inotify.tryTake());
  }

  @Test
  void whatAConsumerLeavesWakesTheOthersThatWait() throws Exception {
    inotify.watch(directory, CREATE);
    Running<InotifyEvent> first =
        Running.of(inotify.blocking()::take).waitingOn(inotify.registration());
    Running<InotifyEvent> second = Running.of(inotify.blocking()::take);
    Eventually.until("both wait", () -> poller.snapshot().registrations().get(0).waiters() == 2);
    create("a");
    create("b");
    List<Path> names = List.of(first.result().name(), second.result().name());
    assertTrue(names.containsAll(List.of(Path.of("a"), Path.of("b"))), names::toString);
    assertNull(inotify.tryTake());
  }

  @Test
  void manyTakersShareTheEventsAndEveryEventHasItsWatch() throws Exception {
    int files = 500;
    var seen = ConcurrentHashMap.<Path>newKeySet();
    List<Running<Integer>> takers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      takers.add(Running.of(() -> takeUntilClosed(seen)));
    }
    for (int i = 0; i < files; i++) {
      Path file = create("f" + i);
      inotify.watch(file, DELETE_SELF);
      Files.delete(file);
    }
    Eventually.until("all were told", () -> seen.size() == files);
    Eventually.until("all were taken", () -> inotify.tryTake() == null);
    inotify.close();
    int taken = 0;
    for (Running<Integer> taker : takers) {
      taken += taker.result();
    }
    assertTrue(taken <= 2 * files && taken >= files, "taken: " + taken);
  }

  private int takeUntilClosed(Set<Path> seen) throws IOException {
    for (int taken = 0; ; taken++) {
      try {
        InotifyEvent event = inotify.blocking().take();
        if (event.isAny(IGNORED)) {
          seen.add(event.path());
        }
      } catch (ClosedChannelException e) {
        return taken;
      }
    }
  }

  @Test
  void aFullQueueIsAnEventAndWhatComesLaterIsToldAgain() throws Exception {
    // By lines, for a sysctl gives all that it has in the first read, and readString's is of 1
    // byte.
    String limit = Files.readAllLines(Path.of("/proc/sys/fs/inotify/max_queued_events")).get(0);
    int most = Integer.parseInt(limit);
    assumeTrue(most <= 100_000, "a queue that is soon full");
    String file = create("file").toString();
    inotify.watch(directory, OPEN.or(InotifyMask.CLOSE_NOWRITE));
    for (int i = 0; i <= most / 2; i++) {
      C.close(LibC.check(C.open(file, LibC.O_RDONLY)));
    }
    List<InotifyEvent> events = taken();
    assertEquals(most + 1, events.size());
    InotifyEvent last = events.get(most);
    assertEquals(OVERFLOW, last.mask());
    assertNull(last.watch());
    assertNull(last.path());
    assertTrue(events.subList(0, most).stream().noneMatch(event -> event.isAny(OVERFLOW)));
    C.close(LibC.check(C.open(file, LibC.O_RDONLY)));
    assertEquals(List.of("OPEN " + file, "CLOSE_NOWRITE " + file), told(taken()));
  }

  @Test
  void watchingTheSameAgainIsTheSameWatchWithAnotherMaskAndPath() throws Exception {
    Path file = create("file");
    Path link = Files.createLink(directory.resolve("link"), file);
    Inotify.Watch watch = inotify.watch(file, MODIFY);
    assertEquals(file, watch.path());
    assertSame(watch, inotify.watch(link, ATTRIB));
    assertEquals(link, watch.path());
    Files.writeString(file, "text");
    assertEquals(List.of(), taken());
    assertSame(watch, inotify.watch(link, MODIFY.or(InotifyMask.MASK_ADD)));
    Files.writeString(file, "text");
    Files.delete(file);
    assertEquals(List.of("MODIFY " + link, "ATTRIB " + link), told(taken()));
    FileAlreadyExistsException e =
        assertThrows(
            FileAlreadyExistsException.class,
            () -> inotify.watch(link, CREATE.or(InotifyMask.MASK_CREATE)));
    assertEquals(link + ": watched already", e.getMessage());
  }

  @Test
  void removingAWatchEndsItAfterWhatHappenedBefore() throws Exception {
    Inotify.Watch watch = inotify.watch(directory, CREATE);
    Path file = create("before");
    assertTrue(watch.remove());
    create("after");
    assertFalse(watch.remove());
    assertEquals(List.of("CREATE " + file, "IGNORED " + directory), told(taken()));
    assertFalse(watch.remove());
  }

  @Test
  void anEndedWatchCannotEndTheNextOne() throws Exception {
    Path file = create("file");
    Inotify.Watch old = inotify.watch(file, ALL_EVENTS);
    Files.delete(file);
    create("file");
    Inotify.Watch next = inotify.watch(file, DELETE_SELF);
    assertNotEquals(old, next);
    assertFalse(old.remove());
    assertTrue(taken().stream().allMatch(event -> event.watch() == old));
    assertFalse(old.remove());
    Files.delete(file);
    assertTrue(taken().stream().allMatch(event -> event.watch() == next));
  }

  @Test
  void aOneshotWatchEndsWithItsEvent() throws Exception {
    inotify.watch(directory, CREATE.or(InotifyMask.ONESHOT));
    Path file = create("a");
    create("b");
    assertEquals(List.of("CREATE " + file, "IGNORED " + directory), told(taken()));
  }

  @Test
  void aLinkIsFollowedUnlessItIsNotToBe() throws Exception {
    Path target = Files.createDirectory(directory.resolve("target"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), target);
    Inotify.Watch followed = inotify.watch(link, CREATE);
    assertSame(followed, inotify.watch(target, CREATE));
    Inotify.Watch itself = inotify.watch(link, DELETE_SELF.or(InotifyMask.DONT_FOLLOW));
    assertNotEquals(followed, itself);
    Files.delete(link);
    assertEquals(List.of("DELETE_SELF " + link, "IGNORED " + link), told(taken()));
  }

  @Test
  void aNameThatIsNoTextIsThePathOfItsFile() throws Exception {
    inotify.watch(directory, CREATE);
    Path file = directory.resolve(FileNames.element(new byte[] {'a', (byte) 0xff, (byte) 0x80}));
    Files.createFile(file);
    Path told = taken().get(0).path();
    assertEquals(file, told);
    assertTrue(Files.exists(told));
    inotify.watch(file, DELETE_SELF);
    Files.delete(told);
    assertEquals(2, taken().size());
  }

  @Test
  void aRelativePathIsThatOfTheWorkingDirectory() throws Exception {
    Inotify.Watch watch = inotify.watch(Path.of(""), CREATE);
    assertSame(watch, inotify.watch(Path.of("").toAbsolutePath(), CREATE));
  }

  @Test
  void whatCannotBeWatchedIsSaidInTheTermsOfTheJdk() throws Exception {
    Path file = create("file");
    Path missing = directory.resolve("missing");
    NoSuchFileException e =
        assertThrows(NoSuchFileException.class, () -> inotify.watch(missing, CREATE));
    assertEquals(missing.toString(), e.getFile());
    SyscallException cause = (SyscallException) e.getCause();
    assertEquals("inotify_add_watch", cause.call());
    assertEquals(inotify.fd(), cause.fd());
    assertThrows(
        NotDirectoryException.class,
        () -> inotify.watch(file, MODIFY.or(InotifyMask.ONLY_DIRECTORY)));
    assertThrows(NotDirectoryException.class, () -> inotify.watch(file.resolve("below"), MODIFY));
    for (int names : new int[] {3000, 50_000}) {
      Path tooLong = Path.of("x/".repeat(names));
      FileSystemException tooLongFailure =
          assertThrows(FileSystemException.class, () -> inotify.watch(tooLong, MODIFY));
      assertEquals("File name too long", tooLongFailure.getReason());
    }
    assertEquals(List.of(), taken());
  }

  @Test
  void isCloseOnExecAndNonBlocking() {
    assertEquals(LibC.FD_CLOEXEC, C.fcntl(inotify.fd(), LibC.F_GETFD, 0));
    assertTrue((C.fcntl(inotify.fd(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void whoeverWaitsIsToldOfWhatComes(ThreadKind kind) throws Exception {
    inotify.watch(directory, CREATE);
    Running<InotifyEvent> taker =
        Running.on(kind, inotify.blocking()::take).waitingOn(inotify.registration());
    Path file = create("file");
    assertEquals(file, taker.result().path());
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void anInterruptEndsTheWaitAndLosesNothing(ThreadKind kind) throws Exception {
    inotify.watch(directory, CREATE);
    Running<InotifyEvent> taker =
        Running.on(kind, inotify.blocking()::take).waitingOn(inotify.registration());
    taker.interrupt();
    assertInstanceOf(InterruptedIOException.class, taker.failure());
    assertTrue(taker.interruptedAtEnd());
    create("file");
    assertEquals(CREATE, inotify.blocking().take().mask());
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void closeFailsTheWaitingTakerAndLaterCalls(ThreadKind kind) throws Exception {
    Inotify.Watch watch = inotify.watch(directory, CREATE);
    Running<InotifyEvent> taker =
        Running.on(kind, inotify.blocking()::take).waitingOn(inotify.registration());
    inotify.close();
    inotify.close();
    assertInstanceOf(ClosedRegistrationException.class, taker.failure());
    assertThrows(ClosedChannelException.class, inotify::tryTake);
    assertThrows(ClosedChannelException.class, watch::remove);
    assertThrows(ClosedChannelException.class, () -> inotify.watch(directory, CREATE));
  }

  @Test
  void anOpeningThatFailsLeavesNothingAndNamesBothLimits() throws Exception {
    Poller closed = Poller.open();
    closed.close();
    var before = KernelFds.openNow();
    SyscallException e =
        FdLimit.whileReached(
            () -> assertThrows(SyscallException.class, () -> Inotify.open(poller)));
    assertTrue(e.getMessage().startsWith("inotify_init1: EMFILE"), e::getMessage);
    assertTrue(e.getMessage().contains("fs.inotify.max_user_instances"), e::getMessage);
    assertTrue(e.getMessage().contains("ulimit -n"), e::getMessage);
    assertThrows(ClosedPollerException.class, () -> Inotify.open(closed));
    KernelFds.assertNoneSince(before);
    Inotify.open(poller).close();
  }

  @Test
  @Conformance(250)
  void watchesAndSetsOpenedAndClosedOverThemNeverDeadlock() throws Exception {
    for (int i = 0; i < 1000; i++) {
      inotify.watch(create("f" + i), ALL_EVENTS);
    }
    AtomicBoolean enough = new AtomicBoolean();
    Running<Integer> toucher = Running.of(() -> touch(enough));
    for (int i = 0; i < 2000; i++) {
      try (Epoll set = Epoll.open()) {
        set.add(inotify.fd(), EventMask.IN, i);
        set.waitForEvents(Duration.ofMillis(1));
        if (i % 100 == 0) {
          taken();
        }
      }
    }
    enough.set(true);
    assertTrue(toucher.result() > 0);
    assertTrue(taken().stream().noneMatch(event -> event.isAny(IS_DIRECTORY)));
  }

  private int touch(AtomicBoolean enough) throws IOException {
    int touched = 0;
    while (!enough.get() || touched == 0) {
      Files.writeString(directory.resolve("f" + touched++ % 1000), "x");
    }
    return touched;
  }
}
