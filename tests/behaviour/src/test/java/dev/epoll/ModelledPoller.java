package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.FdKind;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A poller on the real kernel beside a model of both. Each call is made on both, which must agree
 * on its outcome; {@link #settle} then compares what each has become.
 *
 * <p>In the model an entry of the kernel's set is a file and a number: it goes with the last fd of
 * the file, not with the number.
 *
 * <p>Thread: one.
 */
final class ModelledPoller implements AutoCloseable {
  private static final int ALWAYS = Linux.EPOLLERR | Linux.EPOLLHUP;

  private final Fds fds = new Fds();
  private final Path directory;
  private final Poller poller;
  private final @Nullable PollerRounds rounds;

  private final Map<Integer, OpenFile> fileOf = new HashMap<>();
  private final Set<Entry> kernel = new HashSet<>();
  private final Map<Integer, Watched> watched = new HashMap<>();
  private final List<Await> waiting = new ArrayList<>();
  private final List<Await> ended = new ArrayList<>();
  private int files;
  private int awaits;
  private int mostWatched;

  /** An open file description, which may have several fds or none. */
  record OpenFile(int id, FdKind kind) {}

  private record Entry(OpenFile file, int number) {}

  /** A registration, or what awaits of a bare number share. */
  final class Watched {
    final int number;
    final @Nullable Registration registration;

    /** Of the last ADD or MOD that went through. */
    OpenFile file;

    Watched(int number, @Nullable Registration registration) {
      this.number = number;
      this.registration = registration;
      this.file = Objects.requireNonNull(fileOf.get(number));
    }

    boolean isCurrent() {
      return watched.get(number) == this;
    }

    /** Whether its number is still that of the file. */
    boolean isIntact() {
      return file.equals(fileOf.get(number));
    }

    List<Await> waiters() {
      return waiting.stream().filter(await -> await.on == this).toList();
    }

    @Override
    public String toString() {
      return (registration == null ? "number " : "registration ") + number + " " + file;
    }
  }

  /** One await and what it was told. */
  static final class Await implements Waiter {
    private final int id;
    private final Interest interest;
    private final List<Object> outcomes = new CopyOnWriteArrayList<>();
    private @Nullable Watched on;
    private @Nullable Cancellable cancellable;
    private boolean isCancelled;

    Await(int id, Interest interest) {
      this.id = id;
      this.interest = interest;
    }

    @Override
    public void ready(Readiness readiness) {
      outcomes.add(readiness);
    }

    @Override
    public void failed(IOException cause) {
      outcomes.add(cause);
    }

    Watched on() {
      return Objects.requireNonNull(on);
    }

    @Override
    public String toString() {
      return "await " + id + " " + interest + " on " + on + " " + outcomes;
    }
  }

  private ModelledPoller(Path directory, Poller poller, @Nullable PollerRounds rounds) {
    this.directory = directory;
    this.poller = poller;
    this.rounds = rounds;
  }

  /** One with a thread of its own. */
  static ModelledPoller withThread(Path directory) throws IOException {
    return new ModelledPoller(directory, Poller.open(), null);
  }

  /** One whose rounds run in {@link #settle}, and at no other time. */
  static ModelledPoller byHand(Path directory) throws IOException {
    PollerRounds[] rounds = new PollerRounds[1];
    Poller poller = Poller.open(PollerConfig.defaults(), started -> rounds[0] = started);
    return new ModelledPoller(directory, poller, rounds[0]);
  }

  List<Integer> numbers() {
    return List.copyOf(fileOf.keySet());
  }

  FdKind kindOf(int number) {
    return file(number).kind();
  }

  private OpenFile file(int number) {
    return Objects.requireNonNull(fileOf.get(number));
  }

  List<Watched> registrations() {
    return watched.values().stream().filter(it -> it.registration != null).toList();
  }

  List<Await> waiting() {
    return List.copyOf(waiting);
  }

  void open(FdKind kind) {
    for (int number : kind.open(fds, directory)) {
      fileOf.put(number, new OpenFile(++files, kind));
    }
  }

  void duplicate(int number) {
    int duplicate = fds.dup(number);
    fileOf.put(duplicate, file(number));
    keepApart(duplicate);
  }

  void duplicateOver(int number, int target) {
    check(C.dup2(number, target));
    fileOf.put(target, file(number));
    forgetClosedFiles();
    keepApart(target);
  }

  /**
   * Ends what watches {@code number}, if that has become the number of a file which has a forgotten
   * entry of the same number: an await that takes that over unseen is more than the model knows.
   */
  private void keepApart(int number) {
    Watched it = watched.get(number);
    if (it != null && !it.isIntact() && hasEntry(number)) {
      if (it.registration != null) {
        closeRegistration(it);
      } else {
        it.waiters().forEach(this::cancel);
      }
    }
  }

  /** Behind the poller's back, if the number is watched. */
  void close(int number) {
    fds.close(number);
    fileOf.remove(number);
    forgetClosedFiles();
  }

  private void forgetClosedFiles() {
    kernel.removeIf(entry -> !fileOf.containsValue(entry.file()));
  }

  void write(int number, int bytes) throws IOException {
    kindOf(number).write(number, bytes, directory);
  }

  /** Whether the kernel has an entry for the file that {@code number} is now. */
  private boolean hasEntry(int number) {
    return fileOf.containsKey(number) && kernel.contains(new Entry(file(number), number));
  }

  void register(int number) {
    Registration registration;
    try {
      registration = poller.register(number);
    } catch (IOException e) {
      assertEquals(
          watched.containsKey(number) && hasEntry(number) ? "EEXIST" : "nothing", errno(e));
      return;
    }
    assertFalse(watched.containsKey(number) && hasEntry(number), "registered twice");
    watch(new Watched(number, registration));
    assertTrue(
        registration.slot() <= mostWatched,
        () -> "slot " + registration.slot() + " of at most " + mostWatched);
  }

  /** The last owner of the number has ended, if there is one. */
  private void watch(Watched fresh) {
    watched.put(fresh.number, fresh);
    kernel.add(new Entry(fresh.file, fresh.number));
    mostWatched = Math.max(mostWatched, watched.size());
  }

  void closeRegistration(Watched it) {
    Objects.requireNonNull(it.registration).close();
    forget(it);
    for (Await await : it.waiters()) {
      assertEquals(1, await.outcomes.size(), await::toString);
    }
  }

  private void forget(Watched it) {
    watched.remove(it.number);
    if (fileOf.containsKey(it.number)) {
      kernel.remove(new Entry(file(it.number), it.number));
    }
  }

  private interface Arming {
    boolean start() throws IOException;
  }

  void arm(Watched it, Interest interest) {
    Await await = new Await(++awaits, interest);
    Registration registration = Objects.requireNonNull(it.registration);
    arm(
        it,
        await,
        () -> {
          registration.arm(interest, await);
          return true;
        });
  }

  interface Step {
    void take() throws Exception;
  }

  /**
   * As {@code dev.epoll.net} does: reads or writes until that would block, and awaits an edge,
   * which may be one that came by {@code meanwhile}.
   */
  void armAfterBlocking(Watched it, Interest interest, Step meanwhile) throws Exception {
    Registration registration = Objects.requireNonNull(it.registration);
    int edges = registration.edges();
    byte[] bytes = new byte[64 * 1024];
    long moved;
    do {
      moved =
          interest.equals(Interest.READABLE)
              ? C.read(it.number, bytes, bytes.length)
              : C.write(it.number, bytes, bytes.length);
    } while (moved > 0);
    if (moved < 0 && Errno.EAGAIN.is(-LibC.errno())) {
      meanwhile.take();
      Await await = new Await(++awaits, interest);
      arm(it, await, () -> registration.armAfter(edges, interest, await));
    }
  }

  private void arm(Watched it, Await await, Arming arming) {
    long controls = poller.stats().epollControls();
    try {
      if (!arming.start()) {
        return;
      }
      await.on = it;
      waiting.add(await);
      if (!it.isIntact() && poller.stats().epollControls() > controls) {
        assertTrue(hasEntry(it.number), () -> "armed what is not there: " + it);
        it.file = file(it.number);
      }
    } catch (IOException e) {
      assertFalse(hasEntry(it.number), () -> "cannot arm " + it + ": " + e);
      assertEquals(fileOf.containsKey(it.number) ? "ENOENT" : "EBADF", errno(e));
      assertEquals(List.of(), await.outcomes, "told, and thrown at");
      for (Await other : it.waiters()) {
        assertEquals(1, other.outcomes.size(), other::toString);
      }
    }
  }

  /** An await of the bare number, which shares what watches it, if the kernel has an entry. */
  void armNumber(int number, Interest interest) throws IOException {
    Await await = new Await(++awaits, interest);
    await.cancellable = poller.arm(number, interest, await);
    Watched current = watched.get(number);
    if (current != null && hasEntry(number)) {
      current.file = file(number);
      await.on = current;
    } else {
      Watched fresh = new Watched(number, null);
      watch(fresh);
      await.on = fresh;
    }
    waiting.add(await);
  }

  void armClosedNumber(int number) {
    if (!fileOf.containsKey(number)) {
      Await await = new Await(++awaits, Interest.READABLE);
      try {
        poller.arm(number, Interest.READABLE, await);
        throw new AssertionError("armed " + number + ", which is closed");
      } catch (IOException e) {
        assertEquals("EBADF", errno(e));
        assertEquals(List.of(), await.outcomes, "told, and thrown at");
      }
    }
  }

  void cancel(Await await) {
    boolean isCancelled =
        await.cancellable != null
            ? await.cancellable.cancel()
            : Objects.requireNonNull(await.on().registration).cancel(await);
    assertEquals(isCancelled, await.outcomes.isEmpty(), await::toString);
    if (isCancelled) {
      await.isCancelled = true;
      end(await);
    }
  }

  private void end(Await await) {
    waiting.remove(await);
    ended.add(await);
    Watched it = await.on();
    if (it.isCurrent() && it.registration == null && it.waiters().isEmpty()) {
      forget(it);
    }
  }

  private static String errno(IOException e) {
    return e instanceof SyscallException failure ? failure.errnoName() : e.toString();
  }

  /** Lets the poller tell everybody who is to be told, and compares it with the model. */
  void settle() {
    takeOutcomes();
    try {
      Eventually.until(
          "all who wait while their fd is ready are told",
          () -> {
            pass();
            takeOutcomes();
            return overdue().isEmpty();
          });
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + ": " + overdue() + " in " + kernelTable(), e);
    }
    compareTables();
  }

  /** Has the poller look for events. */
  void pass() throws InterruptedException {
    if (rounds == null) {
      Rounds.pass(poller);
    } else {
      int busy = 0;
      while (rounds.run()) {
        busy++;
        assertTrue(busy < 1000, "the rounds find something to do for ever");
      }
    }
  }

  private void takeOutcomes() {
    for (Await await : List.copyOf(waiting)) {
      if (!await.outcomes.isEmpty()) {
        Watched it = await.on();
        boolean isReady = await.outcomes.get(0) instanceof Readiness;
        assertTrue(
            isReady || !it.isCurrent() || !it.isIntact(), () -> "failed for no reason: " + await);
        assertTrue(
            !isReady || rounds == null || pollOf(it.file, await.interest) != 0,
            () -> "told too early, or of another's readiness: " + await);
        end(await);
      }
    }
  }

  /** Those who should have been told. */
  private List<Await> overdue() {
    return waiting.stream().filter(this::isReady).toList();
  }

  private boolean isReady(Await await) {
    Watched it = await.on();
    int ready = pollOf(it.file, await.interest);
    // Kernel: who waits to write to a full pseudo-terminal is woken once most of it was read, while
    // poll(2) finds room sooner.
    int told = it.file.kind() == FdKind.PTY ? ready & ~Linux.EPOLLOUT : ready;
    return it.isCurrent() && kernel.contains(new Entry(it.file, it.number)) && told != 0;
  }

  /** What poll(2) says of the file, by whichever number it has; 0 if it has none. */
  private int pollOf(OpenFile file, Interest interest) {
    return fileOf.entrySet().stream()
        .filter(open -> open.getValue().equals(file))
        .findFirst()
        .map(open -> PollFd.ask(Backend.syscalls(), open.getKey(), interest.mask))
        .orElse(0);
  }

  private List<Epoll.Entry> kernelTable() {
    try {
      return KernelTable.read(poller.snapshot().epollFd()).stream()
          .filter(entry -> entry.data() != Token.WAKEUP)
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void compareTables() {
    List<Epoll.Entry> table = kernelTable();
    assertEquals(
        kernel.stream().map(Entry::number).sorted().toList(),
        table.stream().map(Epoll.Entry::fd).toList(),
        "numbers in the kernel's set");
    assertEquals(
        table.size(), table.stream().map(Epoll.Entry::data).distinct().count(), "tokens in use");
    List<PollerSnapshot.Watched> snapshot = poller.snapshot().registrations();
    assertEquals(
        watched.keySet().stream().sorted().toList(),
        snapshot.stream().map(PollerSnapshot.Watched::fd).sorted().toList(),
        "numbers that are watched");
    for (PollerSnapshot.Watched engines : snapshot) {
      Watched it = Objects.requireNonNull(watched.get(engines.fd()));
      assertEquals(it.waiters().size(), engines.waiters(), () -> "waiters of " + it);
      int wanted =
          it.waiters().stream()
              .mapToInt(await -> await.interest.mask)
              .reduce(0, ModelledPoller::or);
      int armed = engines.armed().bits();
      assertEquals(wanted, wanted & armed, () -> "armed for all who wait: " + it);
      if (armed != 0 && kernel.contains(new Entry(it.file, it.number))) {
        assertArmed(it, armed, table);
      }
    }
  }

  private static int or(int one, int other) {
    return one | other;
  }

  /** An entry is that of {@code it}, and asks for what the engine thinks it does. */
  private static void assertArmed(Watched it, int armed, List<Epoll.Entry> table) {
    int expected = armed | ALWAYS | ((armed & Linux.EPOLLET) != 0 ? 0 : Linux.EPOLLONESHOT);
    Registration registration = it.registration;
    boolean isThere =
        table.stream()
            .filter(entry -> entry.fd() == it.number && entry.mask().bits() == expected)
            .anyMatch(
                entry ->
                    registration == null
                        || entry.data()
                            == Token.of(registration.slot(), registration.lastSequence()));
    assertTrue(isThere, () -> "no entry of " + it + " in " + table);
  }

  /** Ends all: nothing may be left, and every await has had its one outcome. */
  @Override
  public void close() {
    try {
      List<Await> left = List.copyOf(waiting);
      poller.close();
      for (Await await : left) {
        assertEquals(1, await.outcomes.size(), () -> "outcomes at the end: " + await);
      }
      for (Await await : ended) {
        assertEquals(await.isCancelled ? 0 : 1, await.outcomes.size(), await::toString);
      }
      PollerStats stats = poller.stats();
      assertEquals(
          stats.arms(), stats.resumes() + stats.cancels() + stats.failures(), stats::toString);
      assertEquals(List.of(), poller.snapshot().registrations());
    } finally {
      poller.close();
      fds.close();
    }
  }
}
