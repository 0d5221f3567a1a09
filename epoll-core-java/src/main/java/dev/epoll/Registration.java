package dev.epoll;

import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
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
 *   either --- close, or the poller ends ---&gt; ENDED (final)
 * </pre>
 *
 * <p>Kernel: EPOLLONESHOT disarms at the event, so no event follows one that nobody re-armed for;
 * MOD polls again, so what was ready before the await is reported (epoll_ctl(2)). An event of an
 * earlier token is dropped: the MOD that made it stale reports the same readiness again.
 *
 * <p>Invariant: while a waiter waits, its interest is armed. Cancelling leaves the kernel armed,
 * for at most one event that nobody gets.
 *
 * <p>Thread: every method from any. {@code lock} guards all state and is held over epoll_ctl, never
 * while a waiter runs.
 */
public final class Registration implements AutoCloseable {
  private final Registrations owner;
  private final int fd;
  private final int slot;
  private final ReentrantLock lock = new ReentrantLock();
  private final WaiterQueue waiters = new WaiterQueue();

  /** The event bits that the kernel is armed with; 0 is DISARMED. */
  private int armed;

  /** The sequence number of the last arm. */
  private int sequence;

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
   * armed for {@code interest} already.
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
    int error;
    WaiterQueue.Batch others = new WaiterQueue.Batch();
    lock.lock();
    try {
      ensureOpen();
      waiters.add(waiter, interest.mask);
      boolean isArmed = false;
      try {
        error = armFor(waiters.wanted(), anew);
        isArmed = error == 0;
      } finally {
        if (!isArmed) {
          waiters.remove(waiter);
        }
      }
      owner.counters().arms.increment();
      if (isArmed) {
        return;
      }
      waiters.drain(others);
    } finally {
      lock.unlock();
    }
    owner.counters().failures.add(others.size() + 1L);
    others.failed(() -> failure(error));
    throw failure(error);
  }

  /**
   * Brings the kernel to report {@code wanted}, if it does not already, or {@code anew}. Returns 0
   * or the errno.
   */
  private int armFor(int wanted, boolean anew) {
    if (!anew && (armed & wanted) == wanted) {
      return 0;
    }
    int next = sequence + 1;
    int result =
        owner
            .epoll()
            .control(Linux.EPOLL_CTL_MOD, fd, wanted | Linux.EPOLLONESHOT, Token.of(slot, next));
    owner.counters().controls.increment();
    sequence = next;
    armed = result == 0 ? wanted : 0;
    return -result;
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
    lock.lock();
    try {
      if (!waiters.remove(waiter)) {
        return false;
      }
    } finally {
      lock.unlock();
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
    lock.lock();
    try {
      if (ended != null || armed == 0 || eventSequence != sequence) {
        owner.counters().staleEvents++;
        return 0;
      }
      armed = 0;
      waiters.take(eventMask, met);
      if (waiters.isEmpty()) {
        return 0;
      }
      int error = armFor(waiters.wanted(), false);
      if (error != 0) {
        waiters.drain(lost);
      }
      return error;
    } finally {
      lock.unlock();
    }
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
    return ThreadWaiter.await(this, interest, EpollFd.FOREVER);
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
    return nanos == 0 ? readinessNow(interest) : ThreadWaiter.await(this, interest, nanos);
  }

  private Readiness readinessNow(Interest interest) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    lock.lock();
    try {
      ensureOpen();
      int reported = PollFd.ask(owner.syscalls(), fd, interest.mask);
      if (reported < 0) {
        throw new SyscallException("poll", -reported, fd);
      }
      return Readiness.of(reported);
    } finally {
      lock.unlock();
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
    lock.lock();
    try {
      if (ended != null) {
        return false;
      }
      ended = reason;
      waiters.drain(waiting);
      return true;
    } finally {
      lock.unlock();
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
    lock.lock();
    try {
      return new PollerSnapshot.Watched(fd, EventMask.of(armed), waiters.size());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return "Registration(" + snapshot() + (isClosed() ? ", closed)" : ")");
  }
}
