package dev.epoll.sys;

import static dev.epoll.sys.Linux.EPOLLET;
import static dev.epoll.sys.Linux.EPOLLIN;
import static dev.epoll.sys.Linux.EPOLLONESHOT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Seam.Event;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several threads in epoll_wait(2) at a time: whom the kernel wakes. */
class SeveralWaitersTest {
  private final Seam seam = new Seam(Backend.syscalls());

  @AfterEach
  void close() {
    seam.close();
  }

  private InThread<List<Event>> waiting(String name, int epfd) throws InterruptedException {
    InThread<List<Event>> thread = InThread.start(name, () -> seam.wait(epfd, 1, -1));
    thread.asleep();
    return thread;
  }

  private static void oneIsDone(InThread<?> a, InThread<?> b) {
    Eventually.until("one of two waits ends", () -> a.isDone() || b.isDone());
  }

  /** One write ends exactly one of two waits; a second one, for which arm prepares, the other. */
  private void oneWriteEndsOneWait(int bits) throws Exception {
    int target = seam.eventfd(0);
    int epfd = seam.epollOver(target, bits);
    InThread<List<Event>> a = waiting("waiter a", epfd);
    InThread<List<Event>> b = waiting("waiter b", epfd);
    seam.writeLong(target, 1);
    oneIsDone(a, b);
    Thread.sleep(50);
    assertTrue(a.isDone() != b.isDone(), "both returned");
    Seam.ok(seam.ctl(epfd, Linux.EPOLL_CTL_MOD, target, bits, target));
    assertEquals(List.of(new Event(EPOLLIN, target)), a.get());
    assertEquals(List.of(new Event(EPOLLIN, target)), b.get());
  }

  @Test
  @Conformance(238)
  void oneEdgeEndsOneOfTwoWaits() throws Exception {
    oneWriteEndsOneWait(EPOLLIN | EPOLLET);
  }

  @Test
  @Conformance(109)
  void aOneShotEventEndsOneOfTwoWaits() throws Exception {
    oneWriteEndsOneWait(EPOLLIN | EPOLLONESHOT);
  }

  @Test
  @Conformance(239)
  void twoEdgesEndTwoWaits() throws Exception {
    int first = seam.eventfd(0);
    int second = seam.eventfd(0);
    int epfd = seam.epoll();
    seam.add(epfd, first, EPOLLIN | EPOLLET);
    seam.add(epfd, second, EPOLLIN | EPOLLET);
    InThread<List<Event>> a = waiting("waiter a", epfd);
    InThread<List<Event>> b = waiting("waiter b", epfd);
    seam.writeLong(first, 1);
    seam.writeLong(second, 1);
    Set<Long> reported = new TreeSet<>(Set.of(a.get().get(0).data(), b.get().get(0).data()));
    assertEquals(new TreeSet<>(Set.of((long) first, (long) second)), reported);
  }

  @Test
  @Conformance(110)
  void oneWriteWakesTheWaitersOfAllSets() throws Exception {
    int[] pipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
    List<InThread<List<Event>>> waiters = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      waiters.add(waiting("of set " + i, seam.epollOver(pipe[0], EPOLLIN | EPOLLET)));
    }
    seam.write(pipe[1], (byte) 1);
    for (InThread<List<Event>> waiter : waiters) {
      assertEquals(List.of(new Event(EPOLLIN, pipe[0])), waiter.get());
    }
  }

  @Test
  @Conformance(241)
  void tenEdgesWakeTenWaitsEveryRoundEachWithItsOwn() throws Exception {
    int threads = 10;
    int rounds = 300;
    int epfd = seam.epoll();
    int[] fds = IntStream.range(0, threads).map(i -> seam.eventfd(0)).toArray();
    for (int fd : fds) {
      seam.add(epfd, fd, EPOLLIN | EPOLLET);
    }
    AtomicInteger begun = new AtomicInteger();
    CyclicBarrier all = new CyclicBarrier(threads);
    List<InThread<Integer>> waiters = new ArrayList<>();
    List<Path> states = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      String name = "burst " + i;
      waiters.add(InThread.start(name, () -> takeEdges(epfd, rounds, begun, all)));
      waiters.get(i).asleep();
      states.add(Path.of("/proc/self/task/" + Eventually.tid(name) + "/stat"));
    }
    for (int round = 1; round <= rounds; round++) {
      int begunByAll = round * threads;
      Eventually.until("all wait", () -> begun.get() == begunByAll && allAsleep(states));
      for (int fd : fds) {
        seam.writeLong(fd, 1);
      }
    }
    for (InThread<Integer> waiter : waiters) {
      assertEquals(rounds, waiter.get());
    }
  }

  /** Reads exactly the eventfd that each wait reports; it is empty if another took it. */
  private int takeEdges(int epfd, int rounds, AtomicInteger begun, CyclicBarrier all)
      throws Exception {
    for (int round = 1; round <= rounds; round++) {
      begun.incrementAndGet();
      List<Event> events = seam.wait(epfd, 1, 10_000);
      assertEquals(1, events.size(), "a wait timed out in round " + round);
      assertEquals(1, seam.readLong((int) events.get(0).data()));
      all.await(30, TimeUnit.SECONDS);
    }
    return rounds;
  }

  private static boolean allAsleep(List<Path> states) throws Exception {
    for (Path state : states) {
      String stat = Files.readString(state);
      if (stat.charAt(stat.lastIndexOf(')') + 2) != 'S') {
        return false;
      }
    }
    return true;
  }

  @Test
  @Conformance(104)
  void oneSocketInTwoOneShotSetsNeverStalls() throws Exception {
    int rounds = 16_384;
    try (Fds fds = new Fds()) {
      Fds.Pair pair = fds.socketpair();
      int client = pair.a();
      Seam.ok(seam.syscalls.fcntl(client, Linux.F_SETFL, 0));
      Seam.ok(seam.syscalls.fcntl(pair.b(), Linux.F_SETFL, 0));
      ReentrantLock reading = new ReentrantLock();
      InThread<Integer> a = InThread.start("client a", () -> ask(client, rounds / 2, reading));
      InThread<Integer> b = InThread.start("client b", () -> ask(client, rounds / 2, reading));
      InThread<Integer> echo = InThread.start("echo", () -> echo(pair.b(), rounds));
      assertEquals(rounds, a.get() + b.get());
      assertEquals(rounds, echo.get());
    }
  }

  private int ask(int client, int rounds, ReentrantLock reading) {
    int bits = EPOLLIN | EPOLLONESHOT;
    try (Seam own = new Seam(seam.syscalls)) {
      int epfd = own.epollOver(client, bits);
      for (int round = 0; round < rounds; round++) {
        Seam.ok(own.ctl(epfd, Linux.EPOLL_CTL_MOD, client, bits, client));
        assertEquals(1, own.write(client, (byte) 1));
        assertEquals(List.of(new Event(EPOLLIN, client)), own.wait(epfd, 1, 10_000));
        reading.lock();
        try {
          assertEquals(1, own.readResult(client, 1));
        } finally {
          reading.unlock();
        }
      }
    }
    return rounds;
  }

  private int echo(int server, int rounds) {
    for (int round = 0; round < rounds; round++) {
      assertEquals(1, seam.readResult(server, 1));
      assertEquals(1, seam.write(server, (byte) 1));
    }
    return rounds;
  }

  @Test
  @Conformance(248)
  void twoThreadsOnOneOneShotSetTakeEachFdOnce() throws Exception {
    int count = 1000;
    int epfd = seam.epoll();
    int[] fds = new int[count];
    for (int i = 0; i < count; i++) {
      fds[i] = seam.eventfd(0);
      Seam.ok(seam.ctl(epfd, Linux.EPOLL_CTL_ADD, fds[i], EPOLLIN | EPOLLONESHOT, i));
    }
    int stop = seam.eventfd(0);
    Seam.ok(seam.ctl(epfd, Linux.EPOLL_CTL_ADD, stop, EPOLLIN, -1));
    AtomicIntegerArray handled = new AtomicIntegerArray(count);
    InThread<Integer> a = InThread.start("poller a", () -> countUntilStop(epfd, handled));
    InThread<Integer> b = InThread.start("poller b", () -> countUntilStop(epfd, handled));
    a.asleep();
    b.asleep();
    for (int fd : fds) {
      seam.writeLong(fd, 1);
    }
    Eventually.until("each fd is handled", () -> sum(handled) >= count);
    seam.writeLong(stop, 1);
    assertEquals(count, a.get() + b.get());
    assertEquals(1, IntStream.range(0, count).map(handled::get).distinct().sum());
  }

  private int countUntilStop(int epfd, AtomicIntegerArray handled) {
    int taken = 0;
    while (true) {
      for (Event event : seam.wait(epfd, 16, -1)) {
        if (event.data() == -1) {
          return taken;
        }
        handled.incrementAndGet((int) event.data());
        taken++;
      }
    }
  }

  private static int sum(AtomicIntegerArray counts) {
    return IntStream.range(0, counts.length()).map(counts::get).sum();
  }
}
