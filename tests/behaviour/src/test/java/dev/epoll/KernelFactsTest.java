package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.EpollEvent;
import dev.epoll.sys.EventBuffer;
import dev.epoll.sys.Linux;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import dev.epoll.testing.Running;
import dev.epoll.testing.Signals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What docs/kernel-facts.md says of the kernel, each row by the test that it names. */
class KernelFactsTest {
  private static final EventMask IN_ONESHOT = EventMask.IN.or(EventMask.ONESHOT);
  private static final Duration QUIET = Duration.ofMillis(50);

  private Fds fds;
  private Epoll epoll;

  @BeforeEach
  void open() throws IOException {
    fds = new Fds();
    epoll = Epoll.open();
  }

  @AfterEach
  void close() {
    epoll.close();
    fds.close();
  }

  private static String errnoOf(Executable call) {
    return assertThrows(SyscallException.class, call).errnoName();
  }

  private EventMask onlyEvent() throws IOException {
    assertEquals(1, epoll.waitForEvents(Duration.ZERO));
    return EventMask.of(epoll.ready().mask(0));
  }

  @Test
  void everyFactNamesATestOfThisClassAndEveryTestHereIsNamed() throws IOException {
    String doc = Files.readString(Path.of("../../docs/kernel-facts.md"));
    List<String> named =
        Pattern.compile("`KernelFactsTest\\.(\\w+)`")
            .matcher(doc)
            .results()
            .map(m -> m.group(1))
            .toList();
    List<String> here =
        Arrays.stream(KernelFactsTest.class.getDeclaredMethods())
            .filter(method -> method.isAnnotationPresent(Test.class))
            .map(method -> method.getName())
            .filter(name -> !name.startsWith("everyFact"))
            .toList();
    assertEquals(here.stream().sorted().toList(), named.stream().sorted().toList());
  }

  @Test
  void theEventStructIsPackedOnX86() {
    String arch = System.getProperty("os.arch");
    assertEquals(arch.equals("amd64") ? 12 : 16, EpollEvent.SIZE);
  }

  @Test
  void whatIsAlwaysReadyCannotBeAdded() throws IOException {
    Path file = Files.createTempFile("fact", "");
    try {
      List<Integer> alwaysReady =
          List.of(
              fds.open(file.toString(), LibC.O_RDONLY),
              fds.open("/", LibC.O_RDONLY),
              fds.open("/dev/null", LibC.O_RDONLY),
              fds.open("/dev/zero", LibC.O_RDONLY));
      for (int fd : alwaysReady) {
        assertEquals("EPERM", errnoOf(() -> epoll.add(fd, EventMask.IN, 0)));
      }
      int path = fds.open(file.toString(), LibC.O_PATH);
      assertEquals("EBADF", errnoOf(() -> epoll.add(path, EventMask.IN, 0)));
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void anEntryOutlivesItsNumberAsLongAsADuplicateIsOpen() throws IOException {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.a(), EventMask.IN, 111);
    int duplicate = fds.dup(pipe.a());
    fds.close(pipe.a());
    Fds.write(pipe.b(), 1);
    assertEquals(EventMask.IN, onlyEvent());
    assertEquals("EBADF", errnoOf(() -> epoll.remove(pipe.a())));
    assertEquals("ENOENT", errnoOf(() -> epoll.remove(duplicate)));
    assertEquals(EventMask.IN, onlyEvent());
    fds.close(duplicate);
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
  }

  @Test
  void aReusedNumberIsNoLongerInTheSet() throws IOException {
    int old = fds.eventfd(0);
    epoll.add(old, EventMask.IN, 1);
    fds.close(old);
    int reused = fds.eventfd(0);
    assertEquals(old, reused);
    assertEquals("ENOENT", errnoOf(() -> epoll.modify(reused, EventMask.IN, 2)));
    epoll.add(reused, EventMask.IN, 2);
  }

  @Test
  void oneshotReportsOnceUntilItIsModified() throws IOException {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN_ONESHOT, 1);
    assertEquals(EventMask.IN, onlyEvent());
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
    epoll.modify(fd, IN_ONESHOT, 2);
    assertEquals(EventMask.IN, onlyEvent());
    assertEquals(2, epoll.ready().data(0));
  }

  @Test
  void modifyingReportsWhatWasReadyBeforeAlsoToAWaitThatIsBlocked() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN_ONESHOT, 1);
    assertEquals(EventMask.IN, onlyEvent());
    FutureTask<Integer> wait = new FutureTask<>(epoll::waitForEvents);
    Thread waiting = new Thread(wait, "fact-waiting");
    waiting.start();
    Eventually.asleepInKernel("fact-waiting");
    epoll.modify(fd, IN_ONESHOT, 2);
    assertEquals(1, wait.get());
    waiting.join();
  }

  @Test
  void twoModificationsBeforeAWaitGiveOneEventWithTheLaterData() throws IOException {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN_ONESHOT, 1);
    epoll.modify(fd, IN_ONESHOT, 2);
    epoll.modify(fd, IN_ONESHOT, 3);
    assertEquals(EventMask.IN, onlyEvent());
    assertEquals(3, epoll.ready().data(0));
  }

  @Test
  void anEventThatWasHarvestedOutlivesItsRemoval() throws IOException {
    int fd = fds.eventfd(1);
    epoll.add(fd, EventMask.IN, 7);
    assertEquals(EventMask.IN, onlyEvent());
    epoll.remove(fd);
    assertEquals(7, epoll.ready().data(0));
  }

  @Test
  void hangupIsReportedUnaskedEachTimeOrOnceWithOneshot() throws IOException {
    Fds.Pair pipe = fds.pipe();
    epoll.add(pipe.a(), EventMask.NONE, 0);
    fds.close(pipe.b());
    assertEquals(EventMask.HUP, onlyEvent());
    assertEquals(EventMask.HUP, onlyEvent());
    epoll.modify(pipe.a(), EventMask.ONESHOT, 0);
    assertEquals(EventMask.HUP, onlyEvent());
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
  }

  @Test
  void theEndOfAPipeIsHangupWithoutInAndErrorWithoutOut() throws IOException {
    Fds.Pair empty = fds.pipe();
    epoll.add(empty.a(), EventMask.IN, 0);
    fds.close(empty.b());
    assertEquals(EventMask.HUP, onlyEvent());
    epoll.remove(empty.a());

    Fds.Pair full = fds.pipe();
    Fds.fill(full.b());
    epoll.add(full.b(), EventMask.OUT, 0);
    fds.close(full.a());
    assertEquals(EventMask.ERR, onlyEvent());
  }

  @Test
  @Conformance(224)
  void closingDoesNotEndABlockedWait() throws Exception {
    int closed = fds.eventfd(0);
    epoll.add(closed, EventMask.IN, 1);
    FutureTask<Integer> wait = new FutureTask<>(epoll::waitForEvents);
    Thread waiting = new Thread(wait, "fact-waiting");
    waiting.start();
    Eventually.asleepInKernel("fact-waiting");
    fds.close(closed);
    waiting.join(QUIET.toMillis());
    assertTrue(waiting.isAlive());
    epoll.add(fds.eventfd(1), EventMask.IN, 2);
    assertEquals(1, wait.get());
    assertEquals(2, epoll.ready().data(0));
  }

  @Test
  void everyWriteToAnEdgeTriggeredEventfdIsAnEventThoughNobodyReads() throws IOException {
    int fd = fds.eventfd(0);
    epoll.add(fd, EventMask.IN.or(EventMask.EDGE_TRIGGERED), 0);
    for (int i = 0; i < 3; i++) {
      Fds.add(fd, 1);
      assertEquals(EventMask.IN, onlyEvent());
      assertEquals(0, epoll.waitForEvents(Duration.ZERO));
    }
  }

  @Test
  void pwait2WaitsForLessThanAMillisecondAndNeverTooShort() throws IOException {
    var syscalls = Backend.syscalls();
    EventBuffer events = new EventBuffer(syscalls, 1);
    int epfd = epoll.fd();
    long shortest = Long.MAX_VALUE;
    for (int i = 0; i < 100; i++) {
      long start = System.nanoTime();
      assertEquals(0, syscalls.epollPwait2(epfd, events.address(), 1, events.timespec(100_000)));
      shortest = Math.min(shortest, System.nanoTime() - start);
    }
    assertTrue(shortest >= 100_000 && shortest < 1_000_000, "shortest wait: " + shortest + " ns");
  }

  @Test
  void aSignalEndsARawWaitWithEintr() throws Exception {
    Signals.handle();
    EventBuffer events = new EventBuffer(Backend.syscalls(), 1);
    FutureTask<Integer> wait =
        new FutureTask<>(() -> Backend.syscalls().epollWait(epoll.fd(), events.address(), 1, -1));
    Thread waiting = new Thread(wait, "fact-signalled");
    waiting.start();
    Eventually.asleepInKernel("fact-signalled");
    Signals.send("fact-signalled");
    assertEquals(-4, wait.get());
  }

  @Test
  void setsMayWatchEachOtherFiveDeepAndNotInARing() throws IOException {
    int below = fds.eventfd(0);
    List<Epoll> chain = new java.util.ArrayList<>();
    try {
      for (int i = 0; i < 5; i++) {
        Epoll next = Epoll.open(1);
        chain.add(next);
        next.add(below, EventMask.IN, 0);
        below = next.fd();
      }
      int fifth = below;
      assertEquals("ELOOP", errnoOf(() -> epoll.add(fifth, EventMask.IN, 0)));
      assertEquals("ELOOP", errnoOf(() -> chain.get(0).add(chain.get(2).fd(), EventMask.IN, 0)));
      assertEquals("EINVAL", errnoOf(() -> epoll.add(epoll.fd(), EventMask.IN, 0)));
    } finally {
      chain.forEach(Epoll::close);
    }
  }

  @Test
  void nonBlockingModeBelongsToTheOpenFileAndIsSharedByDuplicates() {
    Fds.Pair pipe = fds.blockingPipe();
    int duplicate = fds.dup(pipe.a());
    C.fcntl(duplicate, LibC.F_SETFL, LibC.O_NONBLOCK);
    assertTrue((C.fcntl(pipe.a(), LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
  }

  @Test
  void aWritablePipeTakesPipeBufBytes() throws IOException {
    Fds.Pair pipe = fds.pipe();
    Fds.fill(pipe.b());
    epoll.add(pipe.b(), EventMask.OUT, 0);
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
    while (epoll.waitForEvents(Duration.ZERO) == 0) {
      assertEquals(1, C.read(pipe.a(), new byte[1], 1));
    }
    Fds.write(pipe.b(), Linux.PIPE_BUF);
  }

  @Test
  void writingToABrokenPipeIsAnErrorAndTheJvmLives() {
    Fds.Pair pipe = fds.pipe();
    fds.close(pipe.a());
    assertEquals(-1, C.write(pipe.b(), new byte[1], 1));
    assertEquals(32, LibC.errno());
  }

  @Test
  void fdinfoListsTheSetAndShowsAFiredOneshotWithoutItsEvents() throws IOException {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN_ONESHOT, 0x1234);
    assertEquals(List.of(new Epoll.Entry(fd, IN_ONESHOT, 0x1234)), epoll.kernelEntries());
    assertEquals(EventMask.IN, onlyEvent());
    assertEquals(
        EventMask.ONESHOT.toString(),
        epoll.kernelEntries().stream()
            .map(entry -> entry.mask().toString())
            .collect(Collectors.joining()));
  }

  @Test
  void exclusiveGoesWithFewFlagsAndIsForAddingOnly() {
    int fd = fds.eventfd(0);
    EpollFd raw = rawEpoll();
    try {
      assertEquals(
          -22, raw.control(Linux.EPOLL_CTL_ADD, fd, Linux.EPOLLEXCLUSIVE | Linux.EPOLLONESHOT, 0));
      assertEquals(
          -22, raw.control(Linux.EPOLL_CTL_ADD, fd, Linux.EPOLLEXCLUSIVE | Linux.EPOLLRDHUP, 0));
      assertEquals(
          -22,
          raw.control(Linux.EPOLL_CTL_ADD, epoll.fd(), Linux.EPOLLEXCLUSIVE | Linux.EPOLLIN, 0));
      assertEquals(
          0, raw.control(Linux.EPOLL_CTL_ADD, fd, Linux.EPOLLEXCLUSIVE | Linux.EPOLLIN, 0));
      assertEquals(-22, raw.control(Linux.EPOLL_CTL_MOD, fd, Linux.EPOLLIN, 0));
    } finally {
      raw.close();
    }
  }

  private static final EventMask STREAM_EDGES =
      EventMask.IN
          .or(EventMask.OUT)
          .or(EventMask.PRI)
          .or(EventMask.RDHUP)
          .or(EventMask.EDGE_TRIGGERED);

  /** Two connected TCP sockets, of which {@code b} is watched for edges that were all taken in. */
  private Fds.Pair watchedConnection(LoopbackFds sockets) throws IOException {
    Fds.Pair pair = sockets.pair();
    LoopbackFds.set(pair.a(), LoopbackFds.IPPROTO_TCP, LoopbackFds.TCP_NODELAY, 1);
    epoll.add(pair.b(), STREAM_EDGES, 0);
    assertEquals(EventMask.OUT, onlyEvent());
    return pair;
  }

  /** The one event that comes, waited for. */
  private EventMask nextEvent() throws IOException {
    assertEquals(1, epoll.waitForEvents(Duration.ofSeconds(10)));
    return EventMask.of(epoll.ready().mask(0));
  }

  private static void send(int fd, String text, int flags) {
    assertEquals(text.length(), C.send(fd, text.getBytes(US_ASCII), text.length(), flags));
  }

  private static String read(int fd) {
    byte[] target = new byte[100];
    int count = (int) C.read(fd, target, target.length);
    return count < 0 ? "errno " + LibC.errno() : new String(target, 0, count, US_ASCII);
  }

  @Test
  void aTcpReadThatFindsLessThanItAsksForLeavesNothingAndWhatComesLaterIsAnEdge()
      throws IOException {
    try (LoopbackFds sockets = new LoopbackFds()) {
      Fds.Pair pair = watchedConnection(sockets);
      for (int i = 0; i < 1000; i++) {
        send(pair.a(), "text", 0);
        assertTrue(nextEvent().contains(EventMask.IN));
        assertEquals("text", read(pair.b()));
        assertEquals("errno 11", read(pair.b()));
      }
      send(pair.a(), "text", 0);
      C.shutdown(pair.a(), LibC.SHUT_WR);
      Eventually.until("RDHUP is an edge", () -> nextEvent().contains(EventMask.RDHUP));
      assertEquals("text", read(pair.b()));
      assertEquals("", read(pair.b()), "only in front of the end something was left");
    }
  }

  @Test
  void aTcpReadStopsInFrontOfAnUrgentByteEvenWhenThatWasTakenAndNoLongerReported()
      throws IOException {
    try (LoopbackFds sockets = new LoopbackFds()) {
      Fds.Pair pair = watchedConnection(sockets);
      send(pair.a(), "before", 0);
      send(pair.a(), "!", LibC.MSG_OOB);
      send(pair.a(), "behind", 0);
      byte[] urgent = new byte[1];
      Eventually.until("it is there", () -> C.recv(pair.b(), urgent, 1, LibC.MSG_OOB) == 1);
      assertEquals(EventMask.IN.or(EventMask.OUT), nextEvent());
      assertEquals("before", read(pair.b()));
      Eventually.until("what is behind has come", () -> read(pair.b()).equals("behind"));
    }
  }

  @Test
  void aSendThatWouldBlockIsFollowedByAnEdgeOnceThereIsRoom() throws IOException {
    try (LoopbackFds sockets = new LoopbackFds()) {
      Fds.Pair tcp = watchedConnection(sockets);
      Fds.Pair unix = fds.socketpair();
      for (Fds.Pair pair : List.of(tcp, unix)) {
        if (pair.equals(unix)) {
          epoll.remove(tcp.b());
          epoll.add(unix.b(), STREAM_EDGES, 0);
          assertEquals(EventMask.OUT, onlyEvent());
        }
        for (int i = 0; i < 3; i++) {
          Fds.fill(pair.b());
          Eventually.until(
              "what was sent has arrived",
              () ->
                  epoll.waitForEvents(Duration.ZERO) == 0 && C.write(pair.b(), new byte[1], 1) < 0);
          Running<Boolean> draining = Running.of(() -> drainUntilSilent(pair.a()));
          assertTrue(nextEvent().contains(EventMask.OUT));
          try {
            draining.result();
          } catch (Exception e) {
            throw new AssertionError(e);
          }
          epoll.waitForEvents(Duration.ZERO);
        }
      }
    }
  }

  private static boolean drainUntilSilent(int fd) throws InterruptedException {
    for (int quiet = 0; quiet < 20; quiet++) {
      if (Fds.drain(fd) > 0) {
        quiet = 0;
      }
      Thread.sleep(1);
    }
    return true;
  }

  @Test
  void anEdgeIsReportedOnceAndModifyingPollsAgain() throws IOException {
    Fds.Pair sockets = fds.socketpair();
    epoll.add(sockets.a(), STREAM_EDGES, 1);
    Fds.write(sockets.b(), 1);
    EventMask both = EventMask.IN.or(EventMask.OUT);
    assertEquals(both, onlyEvent());
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
    epoll.modify(sockets.a(), STREAM_EDGES, 2);
    assertEquals(both, onlyEvent());
    assertEquals(2, epoll.ready().data(0));
    assertEquals(0, epoll.waitForEvents(Duration.ZERO));
  }

  @Test
  void aSetIsReadableWhileItHasAnEventAndCanBeWatchedWithOneshot() throws IOException {
    try (Epoll below = Epoll.open()) {
      int level = fds.eventfd(0);
      int edge = fds.eventfd(0);
      below.add(level, EventMask.IN.or(EventMask.ONESHOT), 1);
      below.add(edge, EventMask.IN.or(EventMask.EDGE_TRIGGERED), 2);
      epoll.add(below.fd(), IN_ONESHOT, 0);
      assertEquals(0, epoll.waitForEvents(Duration.ZERO));
      for (int fd : new int[] {level, edge}) {
        Fds.add(fd, 1);
        assertEquals(EventMask.IN, onlyEvent());
        assertEquals(0, epoll.waitForEvents(Duration.ZERO), "disarmed");
        epoll.modify(below.fd(), IN_ONESHOT, 0);
        assertEquals(EventMask.IN, onlyEvent(), "armed while it is ready");
        assertEquals(1, below.waitForEvents(Duration.ZERO));
        epoll.modify(below.fd(), IN_ONESHOT, 0);
        assertEquals(0, epoll.waitForEvents(Duration.ZERO), "its event was taken");
      }
      below.modify(level, EventMask.IN.or(EventMask.ONESHOT), 1);
      assertEquals(EventMask.IN, onlyEvent(), "armed in it, and ready");
    }
  }

  private static EpollFd rawEpoll() {
    try {
      return EpollFd.open(Backend.syscalls());
    } catch (SyscallException e) {
      throw new AssertionError(e);
    }
  }
}
