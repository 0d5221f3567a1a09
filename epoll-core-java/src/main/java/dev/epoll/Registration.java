package dev.epoll;

import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One fd, watched by one {@link Poller}. Never owns the fd: close the registration first, then the
 * fd.
 *
 * <p>What the kernel will report, as far as this object knows:
 *
 * <pre>
 *                arm: epoll_ctl(MOD) with the union of what is awaited and a fresh token
 *              +--------------------------------------------------------------------------+
 *              |                                                                          v
 *   DISARMED --+                                                                        ARMED --+ arm for what is
 *      ^                                                                                  |  ^  | armed already:
 *      |     event of the current token; if others still wait, arm again for those        |  +--+ no syscall
 *      +----------------------------------------------------------------------------------+
 *   either --- armAfter: epoll_ctl(MOD) with everything, edge-triggered ---&gt; EDGES --+ event: counted
 *                                                                             ^  | armAfter: no syscall
 *                                                                             +--+ arm: MOD of the same
 *   each --- close, or the poller ends ---&gt; ENDED (final)
 * </pre>
 *
 * <p>Kernel: EPOLLONESHOT disarms at the event, so no event follows one that nobody re-armed for;
 * MOD polls again, so what was ready before the await is reported (epoll_ctl(2)). An event of an
 * earlier token is dropped: the MOD that made it stale reports the same readiness again.
 *
 * <p>Invariant: while a waiter waits, its interest is armed, or its edge is still to come.
 * Cancelling leaves the kernel armed; an event that nobody gets does no harm.
 *
 * <p>Thread: every method from any. The monitor of {@code waiters} guards all state and is held
 * over epoll_ctl, never while a waiter runs.
 */
public final class Registration implements AutoCloseable {
  private static final int EDGES =
      Linux.EPOLLIN | Linux.EPOLLOUT | Linux.EPOLLPRI | Linux.EPOLLRDHUP | Linux.EPOLLET;
  private static final int EXCEPTIONAL =
      Linux.EPOLLPRI | Linux.EPOLLRDHUP | Linux.EPOLLHUP | Linux.EPOLLERR;

  /** The bit of {@code edges} that says so; the bits below count. */
  private static final int HAD_EXCEPTIONAL = 1 << 30;

  private final Registrations owner;
  private final int fd;
  private final int slot;
  private final WaiterQueue waiters = new WaiterQueue();

  /** Belongs to {@link ByFd}, and its lock guards it. */
  @Nullable Registration nextInBucket;

  /** What the kernel is armed with; 0 is DISARMED, with {@code EPOLLET} it is EDGES. */
  private int armed;

  /** The sequence number of the last arm. */
  private int sequence;

  /**
   * How many events there were in EDGES, an end counted as one, and {@code HAD_EXCEPTIONAL}.
   * Ordering: volatile, for those who take it before a call.
   */
  private volatile int edges;

  /** Why there will be no further await; null until ENDED. Volatile for those who only look. */
  private volatile @Nullable FailureCause ended;

  Registration(Registrations owner, int fd, int slot, int sequence) {
    this.owner = owner;
    this.fd = fd;
    this.slot = slot;
    this.sequence = sequence;
  }

  /** The descriptor's number. */
  public int fd() {
    return fd;
  }

  /** The poller that watches it. */
  public Poller poller() {
    return owner.poller();
  }

  /** Whether this registration has ended, by {@link #close()} or with its poller. */
  public boolean isClosed() {
    return ended != null;
  }

  /**
   * Does nothing, unless this registration has ended.
   *
   * @throws ClosedRegistrationException if it was closed
   * @throws ClosedPollerException if its poller was closed
   */
  public void ensureOpen() throws IOException {
    FailureCause cause = ended;
    if (cause != null) {
      throw cause.exception();
    }
  }

  /**
   * Starts one await: the primitive that all others are made of. The waiter is told once, of
   * readiness or of failure, unless it is cancelled first. Several may wait for the same; they are
   * told together, in the order of their arming. Costs one epoll_ctl, or none if the kernel is
   * armed for {@code interest} already; always one once {@link #armAfter} has made this
   * registration edge-triggered.
   *
   * <p>Where this throws, the waiter is not told.
   *
   * @throws ClosedRegistrationException if this registration is closed
   * @throws ClosedPollerException if the poller is closed
   * @throws SyscallException if the fd was closed while it was registered (EBADF, or ENOENT if its
   *     number has a new owner); those who waited already are told the same
   * @throws IllegalStateException if {@code waiter} waits on this registration already
   */
  public void arm(Interest interest, Waiter waiter) throws IOException {
    Objects.requireNonNull(interest, "interest");
    Objects.requireNonNull(waiter, "waiter");
    arm(interest, waiter, false);
  }

  /**
   * The same. {@code anew} asks the kernel even if it is armed already, to find out whether the fd
   * is still the one that was registered.
   */
  void arm(Interest interest, Waiter waiter, boolean anew) throws IOException {
    WaiterQueue.Batch others;
    int error;
    synchronized (waiters) {
      add(interest, waiter);
      // EDGES: what is ready now may have had its edge before, and MOD polls again.
      boolean isArmed =
          !anew && !isEdgeTriggered() && (armed & waiters.wanted()) == waiters.wanted();
      error = isArmed ? 0 : armFor(waiter, isEdgeTriggered() ? EDGES : oneshotOfWaiters());
      if (error == 0) {
        return;
      }
      others = takeAll();
    }
    throw failed(others, error);
  }

  /**
   * A number that changes with each edge, and at the end of this registration: take it before a
   * call on the fd, and give it to {@link #armAfter} if the call would have blocked. Only whether
   * it is the same has a meaning. Never negative, so that -1 can stand for none.
   */
  public int edges() {
    return edges;
  }

  /**
   * Whether an edge told of more than bytes and room: the end of the stream, a hangup, an error,
   * urgent data. From then on a read that finds less than it asked for does not show that nothing
   * is left, for it may have stopped in front of that; only "would block" does.
   */
  public boolean hadExceptionalEdge() {
    return (edges & HAD_EXCEPTIONAL) != 0;
  }

  /**
   * Starts one await as {@link #arm} does, for one who took {@link #edges()}, and after that made a
   * call of this kind which would have blocked. Costs no system call but the first time, which
   * makes this registration edge-triggered for good: the kernel then reports every change, and what
   * was reported is not reported again.
   *
   * <p>So it is for descriptors whose calls all go through one object, as those of {@code
   * dev.epoll.net}, and {@link #arm} is for all others.
   *
   * @param edgesBefore what {@link #edges()} was, or -1 for one who made no such call
   * @return false if there has been an edge since: try again at once; {@code waiter} does not wait,
   *     and will not be told
   * @throws IOException as {@link #arm}
   */
  public boolean armAfter(int edgesBefore, Interest interest, Waiter waiter) throws IOException {
    Objects.requireNonNull(interest, "interest");
    Objects.requireNonNull(waiter, "waiter");
    WaiterQueue.Batch others;
    int error;
    synchronized (waiters) {
      boolean wasEdgeTriggered = isEdgeTriggered();
      if (wasEdgeTriggered && edges != edgesBefore) {
        ensureOpen();
        return false;
      }
      add(interest, waiter);
      error = wasEdgeTriggered ? 0 : armFor(waiter, EDGES);
      if (error == 0) {
        return true;
      }
      others = takeAll();
    }
    throw failed(others, error);
  }

  private boolean isEdgeTriggered() {
    return (armed & Linux.EPOLLET) != 0;
  }

  private void add(Interest interest, Waiter waiter) throws IOException {
    ensureOpen();
    waiters.add(waiter, interest.mask);
    owner.counters().arms.increment();
  }

  /** Arms with {@code mask}. Returns 0, or the errno; then {@code newcomer} does not wait. */
  private int armFor(Waiter newcomer, int mask) {
    boolean isArmed = false;
    try {
      int error = control(mask);
      isArmed = error == 0;
      return error;
    } finally {
      if (!isArmed) {
        waiters.remove(newcomer);
      }
    }
  }

  private int oneshotOfWaiters() {
    return waiters.wanted() | Linux.EPOLLONESHOT;
  }

  /** epoll_ctl(MOD) with a fresh token; 0 or the errno. */
  private int control(int mask) {
    int next = sequence + 1;
    int result = owner.epoll().control(Linux.EPOLL_CTL_MOD, fd, mask, Token.of(slot, next));
    owner.counters().controls.increment();
    sequence = next;
    armed = result == 0 ? mask & ~Linux.EPOLLONESHOT : 0;
    return -result;
  }

  private WaiterQueue.Batch takeAll() {
    WaiterQueue.Batch all = new WaiterQueue.Batch();
    waiters.drain(all);
    return all;
  }

  /** Tells {@code others} that they cannot be armed for, and returns it as an exception. */
  private SyscallException failed(WaiterQueue.Batch others, int error) {
    owner.counters().failures.add(others.size() + 1L);
    others.failed(() -> failure(error));
    return failure(error);
  }

  /** Why an epoll_ctl(MOD) of this fd failed. */
  SyscallException failure(int error) {
    return EpollFd.failure(Linux.EPOLL_CTL_MOD, fd, error);
  }

  /**
   * Ends an await before anything happened. Costs no syscall and cannot touch a later await.
   *
   * @return whether {@code waiter} was waiting; if so it will not be told anything
   */
  public boolean cancel(Waiter waiter) {
    synchronized (waiters) {
      if (!waiters.remove(waiter)) {
        return false;
      }
    }
    owner.counters().cancels.increment();
    return true;
  }

  /**
   * Takes in one event. Those whom it concerns are moved to {@code met}, for the caller to tell. If
   * others still wait and cannot be armed for, they are moved to {@code lost}.
   *
   * <p>Thread: the poller thread.
   *
   * @return the errno for which those in {@code lost} were lost, or 0
   */
  int event(int eventSequence, int eventMask, WaiterQueue.Batch met, WaiterQueue.Batch lost) {
    synchronized (waiters) {
      if (ended != null || armed == 0 || eventSequence != sequence) {
        owner.counters().staleEvents++;
        return 0;
      }
      waiters.take(eventMask, met);
      if (isEdgeTriggered()) {
        countEdge((eventMask & EXCEPTIONAL) != 0);
        return 0;
      }
      armed = 0;
      int error = waiters.isEmpty() ? 0 : control(oneshotOfWaiters());
      if (error != 0) {
        waiters.drain(lost);
      }
      return error;
    }
  }

  private void countEdge(boolean exceptional) {
    int before = edges;
    int count = (before + 1) & (HAD_EXCEPTIONAL - 1);
    edges = count | (exceptional ? HAD_EXCEPTIONAL : before & HAD_EXCEPTIONAL);
  }

  /**
   * Waits until the fd is ready. A virtual thread parks and leaves its carrier to others; a
   * platform thread blocks.
   *
   * @return what the kernel reported, never {@link Readiness#NONE}
   * @throws InterruptedException if the thread is interrupted before or while it waits; the fd and
   *     this registration stay usable
   * @throws IllegalStateException if called on the poller thread, which would wait for itself
   * @throws IOException as {@link #arm}, also when it happens while waiting
   */
  public Readiness blockUntil(Interest interest) throws IOException, InterruptedException {
    Objects.requireNonNull(interest, "interest");
    return ThreadWaiter.await(this, arming(interest), EpollFd.FOREVER);
  }

  private Arming arming(Interest interest) {
    return waiter -> {
      arm(interest, waiter, false);
      return true;
    };
  }

  /**
   * How an await is started: by {@link #arm}, {@link #armAfter}, or a method of a descriptor that
   * calls one of these.
   */
  @FunctionalInterface
  public interface Arming {
    /**
     * Starts an await on the registration.
     *
     * @return false if there is nothing to wait for, and {@code waiter} will not be told
     */
    boolean arm(Waiter waiter) throws IOException;
  }

  /**
   * Waits until an await on this registration that {@code arming} starts has ended. Otherwise as
   * {@link #blockUntil(Interest)}.
   *
   * @return what the kernel reported, or {@link Readiness#NONE} if {@code arming} returned false
   */
  public Readiness blockOn(Arming arming) throws IOException, InterruptedException {
    return ThreadWaiter.await(this, Objects.requireNonNull(arming, "arming"), EpollFd.FOREVER);
  }

  /**
   * Waits until the fd is ready or {@code timeout} has passed, never less.
   *
   * @param timeout {@link Duration#ZERO}: asks the kernel once and returns at once
   * @return what the kernel reported, or {@link Readiness#NONE} when the time is over; readiness
   *     that comes together with the end of the time wins
   * @throws IllegalArgumentException if {@code timeout} is negative
   * @throws InterruptedException as {@link #blockUntil(Interest)}
   * @throws IllegalStateException as {@link #blockUntil(Interest)}
   * @throws IOException as {@link #arm}, also when it happens while waiting
   */
  public Readiness blockUntil(Interest interest, Duration timeout)
      throws IOException, InterruptedException {
    Objects.requireNonNull(interest, "interest");
    long nanos = Time.nanos("timeout", timeout);
    return nanos == 0 ? readinessNow(interest) : ThreadWaiter.await(this, arming(interest), nanos);
  }

  private Readiness readinessNow(Interest interest) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    synchronized (waiters) {
      ensureOpen();
      int reported = PollFd.ask(owner.syscalls(), fd, interest.mask);
      if (reported < 0) {
        throw new SyscallException("poll", -reported, fd);
      }
      return Readiness.of(reported);
    }
  }

  /**
   * A future of the next readiness. Completing it in any other way, such as {@link
   * CompletableFuture#cancel} or {@link CompletableFuture#orTimeout}, ends the await.
   *
   * <p>Thread: completed on the poller thread, so stages that may block belong in an {@code
   * ...Async} method. A failure to arm completes it exceptionally before it is returned.
   */
  public CompletableFuture<Readiness> whenReady(Interest interest) {
    return ReadinessFuture.of(this, Objects.requireNonNull(interest, "interest"));
  }

  /**
   * Ends this registration: the fd leaves the kernel's set, then those who wait are told {@link
   * ClosedRegistrationException}. The fd stays open. Further calls do nothing.
   */
  @Override
  public void close() {
    owner.close(this, FailureCause.CLOSED_REGISTRATION);
  }

  /**
   * ENDED. Those who wait are moved to {@code waiting}, for the caller to tell once the kernel's
   * set is in order.
   *
   * @return false if it had ended before
   */
  boolean end(FailureCause reason, WaiterQueue.Batch waiting) {
    synchronized (waiters) {
      if (ended != null) {
        return false;
      }
      ended = reason;
      // Nothing is known to be drained any more, now that no edge will come: who reads looks.
      countEdge(false);
      waiters.drain(waiting);
      return true;
    }
  }

  /**
   * {@code add}, which is EPOLL_CTL_ADD of the same number, and ENDED if that goes through.
   *
   * <p>Kernel: then the number has a new owner, and the entry of this registration is gone or out
   * of reach. Invariant: no arm comes in between, for its MOD would hit the new owner's entry.
   */
  int replace(IntSupplier add, WaiterQueue.Batch waiting) {
    synchronized (waiters) {
      int result = add.getAsInt();
      if (result >= 0) {
        end(FailureCause.FD_REPLACED, waiting);
      }
      return result;
    }
  }

  int slot() {
    return slot;
  }

  /** Meaningful once ENDED, when it no longer grows. */
  int lastSequence() {
    return sequence;
  }

  PollerSnapshot.Watched snapshot() {
    synchronized (waiters) {
      return new PollerSnapshot.Watched(fd, EventMask.of(armed), waiters.size());
    }
  }

  @Override
  public String toString() {
    return "Registration(" + snapshot() + (isClosed() ? ", closed)" : ")");
  }
}
