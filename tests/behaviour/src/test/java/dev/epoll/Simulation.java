package dev.epoll;

import dev.epoll.simulation.Chance;
import dev.epoll.simulation.Seen;
import dev.epoll.simulation.SimulatedKernel;
import dev.epoll.simulation.SimulatedKernel.SimulatedFile;
import dev.epoll.simulation.Storm;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A poller whose users do one thing after the other, chosen by chance, also from within waiters and
 * tasks, while descriptors get ready, are duplicated, closed under it and opened again at the same
 * number, calls fail, and events come late, twice and in another order.
 *
 * <p>After each step the counters balance, and what the engine believes of the kernel's set is so.
 * Now and then the weather clears up, and whoever still waits then must have nothing to wait for.
 * In the end nothing is left.
 *
 * <p>Thread: the test's; a driven poller's rounds are steps.
 */
final class Simulation {
  private static final int FIRST_NUMBER = 100_000;
  private static final int MAX_FILES = 12;
  private static final int MAX_REGISTRATIONS = 24;
  private static final int MAX_DEPTH = 3;
  private static final int MAX_ROUNDS_TO_CALM = 50;
  private static final int KEPT = 100;
  private static final PollerConfig CONFIG = PollerConfig.defaults().withBatchSize(4, 8);

  private static final int[] READY_BITS = {
    Linux.EPOLLIN, Linux.EPOLLOUT, Linux.EPOLLPRI, Linux.EPOLLRDHUP, Linux.EPOLLHUP, Linux.EPOLLERR
  };
  private static final Interest[] INTERESTS = {
    Interest.READABLE, Interest.WRITABLE, Interest.PRIORITY, Interest.READABLE.or(Interest.WRITABLE)
  };

  private final boolean isTraced;
  private final Chance chance;
  private final Seen seen = new Seen();
  private final Storm storm;
  private final SimulatedKernel kernel;
  private Poller poller;
  private PollerRounds rounds;
  private final List<Watch> watches = new ArrayList<>();
  private final List<Await> waiting = new ArrayList<>();
  private final List<Drained> drained = new ArrayList<>();

  /** What has been closed behind the back, but may be in the set by another number of the file. */
  private final Set<Orphan> orphans = new HashSet<>();

  private final List<Await> promised = new ArrayList<>();

  private final ArrayDeque<String> last = new ArrayDeque<>();
  private int depth;
  private int mostWatches;
  private int unfinishedTasks;
  private int dueTimers;
  private boolean mayHaveEnded;

  /** In this step, also from within. */
  private boolean aModHasFailed;

  /** The numbers whose registration was closed in this step, also from within. */
  private final Set<Integer> mayFail = new HashSet<>();

  private @Nullable Throwable thrownInside;

  private Simulation(long seed, boolean isTraced) throws IOException {
    this.isTraced = isTraced;
    this.chance = new Chance(seed);
    this.storm = new Storm(chance, this::callFailed);
    this.kernel = new SimulatedKernel(Backend.syscalls(), chance, storm, FIRST_NUMBER);
    open();
  }

  /** Runs {@code steps} steps; a failure tells the last of them if {@code isTraced}. */
  static Seen run(long seed, int steps, boolean isTraced) throws Exception {
    Simulation simulation = new Simulation(seed, isTraced);
    try {
      for (int i = 0; i < steps; i++) {
        simulation.step();
      }
      simulation.end();
      return simulation.seen;
    } catch (Throwable e) {
      throw new AssertionError(e.getMessage() + "\n  " + String.join("\n  ", simulation.last), e);
    }
  }

  /** For whoever looks at a seed that fails. */
  private void did(Object... words) {
    if (!isTraced) {
      return;
    }
    last.add(
        "  ".repeat(depth)
            + Arrays.stream(words).map(Object::toString).collect(Collectors.joining(" ")));
    if (last.size() > KEPT) {
      last.remove();
    }
  }

  private void open() throws IOException {
    storm.blow(0);
    poller = new Poller(CONFIG, kernel.syscalls(), true, started -> rounds = started);
    mostWatches = 0;
  }

  // The users.

  /** A registration, and the file that it is of. */
  private static final class Watch {
    final Registration registration;
    final SimulatedFile file;

    /** Its number was closed without asking: from then on only that it is told once is promised. */
    boolean isBroken;

    /** From then on an event may be repeated. */
    boolean isEdgeTriggered;

    Watch(Registration registration, SimulatedFile file) {
      this.registration = registration;
      this.file = file;
    }
  }

  private record Orphan(int number, SimulatedFile file) {}

  /** A call that would have blocked, and the edges before it. */
  private record Drained(Watch watch, int edges, Interest interest) {}

  /** An await; told or cancelled once. */
  private final class Await implements Waiter {
    final SimulatedFile file;
    final int number;
    final Interest interest;
    final @Nullable Watch watch;
    @Nullable Cancellable cancellable;
    boolean isBroken;
    boolean isArming = true;
    boolean isOver;

    /** Whether it has been ready since this await began, and so may be told. */
    boolean wasMet;

    Await(SimulatedFile file, int number, Interest interest, @Nullable Watch watch) {
      this.file = file;
      this.number = number;
      this.interest = interest;
      this.watch = watch;
      this.wasMet = isMet(file, interest);
    }

    @Override
    public void ready(Readiness readiness) {
      inside(
          () -> {
            check(!readiness.equals(Readiness.NONE), "ready for nothing");
            check(wasMet || isBroken || isOfEdges(), "an event of somebody else's for " + this);
          });
      over("ready");
      throwNowAndThen();
    }

    @Override
    public void failed(IOException cause) {
      inside(
          () ->
              check(
                  isBroken || mayHaveEnded || mayFail.contains(number) || aModHasFailed,
                  "failed for no reason: " + this + ", " + cause));
      over("failed");
      throwNowAndThen();
    }

    private boolean isOfEdges() {
      // By number it may have joined a registration.
      return watch != null
          ? watch.isEdgeTriggered
          : watches.stream().anyMatch(it -> it.isEdgeTriggered && it.registration.fd() == number);
    }

    private void throwNowAndThen() {
      if (chance.in100(2)) {
        seen.count("waiters threw", 1);
        throw new IllegalStateException("on purpose");
      }
    }

    void over(String how) {
      inside(
          () -> {
            check(!isOver, "told twice: " + this);
            isOver = true;
            waiting.remove(this);
            seen.count(how, 1);
            did(how, this);
            nested();
          });
    }

    boolean cancel() {
      return cancellable == null ? watch.registration.cancel(this) : cancellable.cancel();
    }

    @Override
    public String toString() {
      return "%s of %d".formatted(interest, number);
    }
  }

  /** A timer of now, or of an hour; told or cancelled once. */
  private final class Timer implements Waiter {
    final boolean isDue;
    private boolean isOver;

    Timer(boolean isDue) {
      this.isDue = isDue;
    }

    @Override
    public void ready(Readiness readiness) {
      inside(() -> check(isDue, "an hour has not passed"));
      over("timers due");
      inside(Simulation.this::nested);
    }

    @Override
    public void failed(IOException cause) {
      inside(() -> check(mayHaveEnded, "a timer failed for no reason: " + cause));
      over("timers ended");
    }

    void over(String how) {
      inside(() -> check(!isOver, "told twice: a timer"));
      isOver = true;
      dueTimers -= isDue ? 1 : 0;
      seen.count(how, 1);
    }
  }

  private void callFailed(String call, Errno errno) {
    seen.count("injected " + call, 1);
    did(call, "fails with", errno);
    aModHasFailed |= call.equals("MOD");
    if (errno == Errno.EINVAL) {
      seen.count("errno EINVAL of the wait", 1);
      mayHaveEnded = true;
    }
  }

  /** What is thrown within a waiter or a task is kept: the engine would log it and go on. */
  private void inside(Runnable action) {
    try {
      action.run();
    } catch (Throwable e) {
      if (thrownInside == null) {
        thrownInside = e;
      }
    }
  }

  /** Waiters and tasks do what everybody does. */
  private void nested() {
    if (depth < MAX_DEPTH && chance.in100(30)) {
      depth++;
      act();
      depth--;
    }
  }

  private void step() throws IOException {
    seen.count("steps", 1);
    if (chance.in100(1)) {
      storm.blow(chance.in100(50) ? 0 : chance.below(60));
    }
    aModHasFailed = false;
    mayFail.clear();
    act();
    if (poller.hasEnded()) {
      ended();
      open();
    }
    if (thrownInside != null) {
      throw new AssertionError(
          "within a waiter or a task: " + thrownInside.getMessage(), thrownInside);
    }
    promised.forEach(await -> check(await.isOver, "too late to cancel, and not told: " + await));
    promised.clear();
    checkCounts();
    checkSet();
    if (chance.in100(2)) {
      storm.blow(0);
      calm();
    }
  }

  private void act() {
    try {
      switch (chance.below(16)) {
        case 0 -> openFile();
        case 1 -> closeBehind();
        case 2 -> duplicate();
        case 3, 4 -> changeReadiness();
        case 5 -> register();
        case 6, 7 -> arm();
        case 8 -> armByNumber();
        case 9 -> tryCall();
        case 10 -> armAfterCall();
        case 11 -> cancel();
        case 12 -> closeWatch();
        case 13 -> later();
        case 14 -> round();
        default -> sleep();
      }
    } catch (SyscallException e) {
      did(e.getMessage());
      seen.count("errno " + e.errnoName(), 1);
    } catch (IOException | RejectedExecutionException e) {
      seen.count("refused, as something is closed", 1);
    }
    if (chance.in100(1) && chance.in100(10)) {
      seen.count(depth == 0 ? "closed" : "closed from within", 1);
      did("close the poller");
      mayHaveEnded = true;
      poller.close();
    }
  }

  private void openFile() {
    if (kernel.numbers().size() < MAX_FILES) {
      did("open", kernel.open(!chance.in100(5)));
    }
  }

  private void closeBehind() {
    Integer number = anyNumber();
    if (number == null || chance.in100(60)) {
      return;
    }
    orphans.add(new Orphan(number, kernel.file(number)));
    kernel.close(number);
    did("close", number, "behind");
    for (Watch watch : watches) {
      watch.isBroken |= watch.registration.fd() == number;
    }
    for (Await await : waiting) {
      await.isBroken |= await.number == number;
    }
    if (chance.in100(50)) {
      seen.count("recycled", 1);
      did("open", kernel.open(true));
    }
  }

  private void duplicate() {
    Integer number = anyNumber();
    if (number != null && kernel.numbers().size() < MAX_FILES) {
      did("dup", number, kernel.dup(number));
    }
  }

  private void changeReadiness() {
    Integer number = anyNumber();
    if (number != null) {
      int bits = 0;
      for (int bit : READY_BITS) {
        bits |= chance.in100(bit <= Linux.EPOLLOUT ? 40 : 5) ? bit : 0;
      }
      did(number, "is ready for", EventMask.of(bits));
      SimulatedFile file = kernel.file(number);
      kernel.setReady(file, bits);
      waiting.forEach(it -> it.wasMet |= it.file == file && isMet(file, it.interest));
    }
  }

  private void register() throws IOException {
    int number = chance.in100(5) ? FIRST_NUMBER + 99 : anyNumberOr(FIRST_NUMBER + 99);
    if (watches.size() < MAX_REGISTRATIONS) {
      did("register", number);
      Registration registration = poller.register(number);
      check(kernel.file(number).isPollable(), "what cannot be polled was registered: " + number);
      watches.add(new Watch(registration, kernel.file(number)));
      watches.removeIf(it -> it.registration.isClosed());
    }
  }

  private void arm() throws IOException {
    Watch watch = chance.anyOf(watches);
    if (watch != null) {
      Await await = started(watch, chance.anyOf(INTERESTS));
      did("arm", watch.registration, "for", await);
      try {
        watch.registration.arm(await.interest, await);
        await.isArming = false;
      } catch (IOException e) {
        notStarted(await);
        throw e;
      }
    }
  }

  private void armByNumber() throws IOException {
    Integer number = anyNumber();
    if (number == null) {
      return;
    }
    Await await = new Await(kernel.file(number), number, chance.anyOf(INTERESTS), null);
    waiting.add(await);
    seen.count("armed", 1);
    did("arm by number for", await);
    try {
      await.cancellable = poller.arm(number, await.interest, await);
      await.isArming = false;
    } catch (IOException e) {
      notStarted(await);
      throw e;
    }
  }

  private Await started(Watch watch, Interest interest) {
    Await await = new Await(watch.file, watch.registration.fd(), interest, watch);
    await.isBroken = watch.isBroken;
    waiting.add(await);
    seen.count("armed", 1);
    return await;
  }

  /** Who is refused is not told. */
  private void notStarted(Await await) {
    check(!await.isOver, "refused and told: " + await);
    await.isOver = true;
    waiting.remove(await);
    seen.count("armed", -1);
  }

  private void tryCall() {
    Watch watch = chance.anyOf(watches);
    if (watch != null) {
      Interest interest = chance.anyOf(INTERESTS);
      int edges = watch.registration.edges();
      if (!isMet(watch.file, interest)) {
        did("found nothing of", interest, "on", watch.registration);
        drained.add(new Drained(watch, edges, interest));
      }
    }
  }

  private void armAfterCall() throws IOException {
    if (drained.isEmpty()) {
      return;
    }
    Drained call = drained.remove(chance.below(drained.size()));
    Await await = started(call.watch, call.interest);
    did("arm", call.watch.registration, "after", call.edges, "edges for", await);
    call.watch.isEdgeTriggered = true;
    try {
      if (!call.watch.registration.armAfter(call.edges, call.interest, await)) {
        seen.count("an edge came before", 1);
        notStarted(await);
      }
      await.isArming = false;
    } catch (IOException e) {
      notStarted(await);
      throw e;
    }
  }

  private void cancel() {
    Await await = chance.anyOf(waiting);
    if (await == null || await.isArming) {
      return; // whoever arms does not know yet whether it waits
    }
    did("cancel", await);
    if (!await.cancel()) {
      // Taken out together with the one that cancels it, so about to be told.
      check(depth > 0, "not waiting any more, and not told: " + await);
      promised.add(await);
      return;
    }
    check(!await.isOver, "cancelled and told: " + await);
    await.over("cancelled");
    check(!await.cancel(), "cancelled twice: " + await);
  }

  private void closeWatch() {
    Watch watch = chance.anyOf(watches);
    if (watch != null) {
      watches.remove(watch);
      did("close", watch.registration);
      mayFail.add(watch.registration.fd());
      watch.registration.close();
    }
  }

  private void later() throws IOException {
    if (chance.in100(50)) {
      poller.execute(
          () -> {
            seen.count("tasks", 1);
            unfinishedTasks--;
            inside(this::nested);
          });
      unfinishedTasks++;
      return;
    }
    Timer timer = new Timer(chance.in100(30));
    Cancellable scheduled =
        poller.schedule(timer.isDue ? Duration.ZERO : Duration.ofHours(1), timer);
    dueTimers += timer.isDue ? 1 : 0;
    if (chance.in100(timer.isDue ? 20 : 90)) {
      check(scheduled.cancel(), "a timer that nobody was told of cannot be cancelled");
      timer.over("timers cancelled");
    }
  }

  private void round() {
    did("round");
    rounds.run();
  }

  /** Work that comes while it sleeps wakes it. */
  private void sleep() throws IOException {
    if (depth > 0) {
      return;
    }
    RecordingWaiter sleeper = new RecordingWaiter();
    if (rounds.arm(sleeper)) {
      seen.count("sleeps", 1);
      long wakeups = poller.stats().wakeups();
      poller.execute(() -> seen.count("woken", 1));
      check(
          poller.stats().wakeups() > wakeups && kernel.hasEvents(),
          "asleep, and not woken for a task");
      check(rounds.registration().cancel(sleeper), "the set of this kernel is not watched outside");
      rounds.run();
    }
  }

  // What must be so.

  private void checkCounts() {
    PollerStats stats = poller.stats();
    long unfinished = stats.arms() - stats.resumes() - stats.cancels() - stats.failures();
    check(
        unfinished == waiting.size(),
        "%d are waiting, but of %s that leaves %d".formatted(waiting.size(), stats, unfinished));
  }

  /** What the engine believes that the kernel is armed with is so. */
  private void checkSet() {
    Map<Long, SimulatedKernel.Watched> byToken = new HashMap<>();
    Set<Integer> registered = new HashSet<>();
    poller.snapshot().registrations().forEach(it -> registered.add(it.fd()));
    for (SimulatedKernel.Watched watched : kernel.watched(Token.WAKEUP)) {
      byToken.put(watched.data(), watched);
      check(
          registered.contains(watched.number())
              || orphans.contains(new Orphan(watched.number(), watched.file())),
          "nobody has registered " + watched.number() + ", which is in the set");
    }
    for (Watch watch : watches) {
      Registration registration = watch.registration;
      if (registration.isClosed() || watch.isBroken) {
        continue;
      }
      int armed = registration.snapshot().armed().bits();
      if (armed != 0) {
        long token = Token.of(registration.slot(), registration.lastSequence());
        SimulatedKernel.Watched watched = byToken.get(token);
        check(watched != null, "no entry for " + registration);
        check(
            watched.file() == watch.file && (watched.mask() & ~Linux.EPOLLONESHOT) == armed,
            "the kernel has %s for %s".formatted(EventMask.of(watched.mask()), registration));
      }
      mostWatches = Math.max(mostWatches, registration.slot() + 1);
    }
    check(mostWatches <= 2 * (MAX_REGISTRATIONS + MAX_FILES), mostWatches + " slots are in use");
  }

  /** Runs rounds until there is nothing to do: whoever still waits has nothing to wait for. */
  private void calm() {
    did("calm");
    depth = MAX_DEPTH; // who is told does nothing now
    for (int i = 0; kernel.hasEvents() || dueTimers > 0; i++) {
      check(i < MAX_ROUNDS_TO_CALM, "events come again and again");
      rounds.run();
    }
    depth = 0;
    for (Await await : waiting) {
      check(
          await.isBroken || !isMet(await.file, await.interest),
          "%s was not told that it is ready for %s"
              .formatted(await, EventMask.of(await.file.ready())));
    }
    seen.count("calms", 1);
  }

  private void ended() {
    rounds.run();
    for (Await await : List.copyOf(waiting)) {
      check(await.isOver, "not told of the end: " + await);
    }
    checkCounts();
    check(poller.snapshot().registrations().isEmpty(), "registrations outlive their poller");
    check(kernel.numbersOfPoller().isEmpty(), "its descriptors are open");
    check(unfinishedTasks == 0, unfinishedTasks + " accepted tasks were not run");
    check(dueTimers == 0, dueTimers + " timers were not told");
    check(mayHaveEnded, "ended without a reason");
    watches.clear();
    drained.clear();
    orphans.clear();
    mayHaveEnded = false;
  }

  private void end() throws IOException {
    storm.blow(0);
    calm();
    for (Await await : List.copyOf(waiting)) {
      check(await.cancel(), "cannot be cancelled: " + await);
      await.isOver = true;
      waiting.remove(await);
      seen.count("cancelled", 1);
    }
    List.copyOf(watches).forEach(it -> it.registration.close());
    check(poller.snapshot().registrations().isEmpty(), "left: " + poller.snapshot());
    mayHaveEnded = true;
    poller.close();
    ended();
  }

  private static boolean isMet(SimulatedFile file, Interest interest) {
    return Interest.isMet(interest.mask, file.ready());
  }

  private void check(boolean isSo, String otherwise) {
    if (!isSo) {
      throw new AssertionError(otherwise);
    }
  }

  private @Nullable Integer anyNumber() {
    return chance.anyOf(kernel.numbers());
  }

  private int anyNumberOr(int other) {
    Integer number = anyNumber();
    return number == null ? other : number;
  }
}
