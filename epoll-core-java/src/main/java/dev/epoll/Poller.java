package dev.epoll;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the readiness of any number of fds, and resumes who awaits it. Owns an epoll fd and a
 * wakeup; its rounds run on a daemon thread of its own, or where a {@link PollerDriver} runs them.
 * Whichever thread runs a round is the poller thread.
 *
 * <pre>
 *            close()                              rounds over, fds closed
 *   OPEN ----------------&gt; CLOSED (no new awaits) -------------------------&gt; CLOSED
 *     `--- epoll_wait fails for good, or the loop breaks ---&gt; FAILED (calls throw the cause)
 * </pre>
 *
 * <p>Its thread keeps no JVM from ending, but delays it: HotSpot waits up to 300 ms for threads
 * that are inside of a native call, as those of the JDK's selectors also are (measured). Where that
 * matters, as for a command-line tool, close the poller first.
 *
 * <p>Thread: every method from any.
 */
public final class Poller implements AutoCloseable, Executor {
  /** Where a poller is in its life. */
  public enum State {
    OPEN,
    CLOSED,
    FAILED
  }

  private record End(State state, FailureCause reason) {}

  private static final ReentrantLock SHARED_LOCK = new ReentrantLock();
  private static volatile @Nullable Poller shared;

  private final PollerConfig config;
  private final boolean closeable;
  private final EpollFd epoll;
  private final Wakeup wakeup;
  private final Registrations registrations;
  private final SharedAwaits sharedAwaits;
  private final Timers timers = new Timers();
  private final Counters counters = new Counters();
  private final PollLoop loop;
  private final PollerThread thread;
  private final AtomicReference<@Nullable End> end = new AtomicReference<>();

  /** Why it fails. Ordering: before {@code end} is set to {@code failed}. */
  private volatile @Nullable Throwable failure;

  private final End failed;

  Poller(PollerConfig config, Syscalls syscalls) throws IOException {
    this(config, syscalls, true, null);
  }

  Poller(PollerConfig config, Syscalls syscalls, boolean closeable, @Nullable PollerDriver driver)
      throws IOException {
    this.config = config;
    this.closeable = closeable;
    this.failed =
        new End(
            State.FAILED,
            () -> new IOException("poller " + config.threadName() + " has failed", failure));
    this.epoll = EpollFd.open(syscalls);
    try {
      this.wakeup = Wakeup.open(syscalls, counters, epoll);
    } catch (Throwable e) {
      epoll.close();
      throw e;
    }
    this.registrations = new Registrations(this, syscalls, epoll, wakeup, counters);
    this.sharedAwaits = new SharedAwaits(registrations);
    try {
      this.loop = new PollLoop(syscalls, config, epoll, wakeup, registrations, timers, counters);
      this.thread =
          driver == null
              ? new DedicatedThread(config, this)
              : new DrivenThread(driver, new PollerRounds(this, loop, wakeup, epoll));
    } catch (Throwable e) {
      wakeup.close();
      epoll.close();
      throw e;
    }
    try {
      thread.start();
    } catch (Throwable e) {
      // A driver may have run rounds by now, or keep them to run some later.
      fail(e);
      thread.awaitEnd();
      throw e;
    }
  }

  /**
   * A poller with {@link PollerConfig#defaults()}.
   *
   * @throws SyscallException EMFILE or ENFILE: it needs two descriptors
   */
  public static Poller open() throws IOException {
    return open(PollerConfig.defaults());
  }

  /**
   * A poller with options.
   *
   * @throws SyscallException EMFILE or ENFILE: it needs two descriptors
   */
  public static Poller open(PollerConfig config) throws IOException {
    return new Poller(Objects.requireNonNull(config, "config"), Backend.syscalls());
  }

  /**
   * A poller without a thread of its own: its rounds are run by {@code driver}, beside those whom
   * they resume, which spares the hand-over from one thread to another. While there is nothing to
   * do it sleeps through {@link #shared()}.
   *
   * <p>Never wait on a thread of the driver for what this poller does: it may be the thread that is
   * to do it. So {@link #close()} does not wait for the driver either: awaits are told, and
   * accepted tasks run, on the thread that closes, or in a round that is under way there or
   * elsewhere.
   *
   * <p>What the driver throws as it starts is thrown here, and nothing stays open.
   *
   * @throws SyscallException EMFILE or ENFILE: it needs two descriptors, and the shared poller two
   * @throws IOException if the shared poller has failed
   */
  public static Poller open(PollerConfig config, PollerDriver driver) throws IOException {
    return new Poller(
        Objects.requireNonNull(config, "config"),
        Backend.syscalls(),
        true,
        Objects.requireNonNull(driver, "driver"));
  }

  /**
   * The poller that everybody in the process may use. Opened at the first call; {@link #close()}
   * does nothing to it.
   *
   * @throws java.io.UncheckedIOException if it cannot be opened; a later call tries again
   */
  public static Poller shared() {
    Poller opened = shared;
    try {
      return opened != null ? opened : openShared();
    } catch (IOException e) {
      throw new UncheckedIOException("the shared poller cannot be opened", e);
    }
  }

  /** {@link #shared()} for those who may throw what it throws. */
  static Poller openShared() throws IOException {
    SHARED_LOCK.lock();
    try {
      Poller opened = shared;
      if (opened == null) {
        PollerConfig config = PollerConfig.defaults().withThreadName("epoll-poller-shared");
        opened = new Poller(config, Backend.syscalls(), false, null);
        shared = opened;
      }
      return opened;
    } finally {
      SHARED_LOCK.unlock();
    }
  }

  /**
   * Begins to watch {@code fd}, with nothing armed yet. Leaves O_NONBLOCK as it is.
   *
   * @throws SyscallException EPERM (a regular file or another fd that cannot be polled), EBADF,
   *     EEXIST (registered here already, which stays untouched: if {@code fd} was closed before its
   *     registration and dup2(2) brought it back, close the registration first), ELOOP, ENOSPC (the
   *     sysctl fs.epoll.max_user_watches); nothing is left behind
   * @throws ClosedPollerException if this poller is closed
   */
  public Registration register(int fd) throws IOException {
    return registrations.open(fd);
  }

  /**
   * Starts one await of {@code fd} by its number. Joins the registration of {@code fd} if there is
   * one; else registers it for as long as such awaits of it are waiting. The waiter is told as by
   * {@link Registration#arm}, unless this throws or the result cancels it.
   *
   * @throws IOException as {@link #register} and {@link Registration#arm}
   */
  public Cancellable arm(int fd, Interest interest, Waiter waiter) throws IOException {
    Objects.requireNonNull(interest, "interest");
    Objects.requireNonNull(waiter, "waiter");
    return sharedAwaits.arm(fd, interest, waiter);
  }

  /**
   * Runs {@code task} on the poller thread, after those that were accepted before. It must not
   * block. What it throws is reported to the log. Tasks are accepted, and run, until the rounds of
   * a closed poller are over: what its ended awaits post is not lost.
   *
   * @throws RejectedExecutionException if the poller is closed
   */
  @Override
  public void execute(Runnable task) {
    Objects.requireNonNull(task, "task");
    if (!loop.post(task)) {
      throw new RejectedExecutionException(Objects.requireNonNull(end.get()).reason().exception());
    }
    if (!inPollerThread()) {
      wakeup.wake();
    }
  }

  /**
   * Runs {@code task} on the poller thread once {@code delay} has passed, never before. It must not
   * block. Dropped if the poller is closed before.
   *
   * @throws IllegalArgumentException if {@code delay} is negative
   * @throws RejectedExecutionException if the poller is closed
   */
  public Cancellable schedule(Duration delay, Runnable task) {
    Objects.requireNonNull(task, "task");
    try {
      return schedule(
          delay,
          new Timers.Action() {
            @Override
            public void due() {
              task.run();
            }

            @Override
            public void ended(IOException cause) {}
          });
    } catch (IOException e) {
      throw new RejectedExecutionException(e);
    }
  }

  /**
   * An await of time alone: tells {@code waiter} that it is ready, with {@link Readiness#NONE},
   * once {@code delay} has passed, never before; or that it failed, if the poller is closed before.
   *
   * @throws IllegalArgumentException if {@code delay} is negative
   * @throws ClosedPollerException if the poller is closed
   */
  public Cancellable schedule(Duration delay, Waiter waiter) throws IOException {
    Objects.requireNonNull(waiter, "waiter");
    return schedule(
        delay,
        new Timers.Action() {
          @Override
          public void due() {
            waiter.ready(Readiness.NONE);
          }

          @Override
          public void ended(IOException cause) {
            waiter.failed(cause);
          }
        });
  }

  Cancellable schedule(Duration delay, Timers.Action action) throws IOException {
    End ending = end.get();
    if (ending != null) {
      throw ending.reason().exception();
    }
    Timers.Added added = timers.add(System.nanoTime() + Time.nanos("delay", delay), action);
    if (added.isFirst() && !inPollerThread()) {
      wakeup.wake();
    }
    return added.cancellable();
  }

  /** Whether the calling thread is this poller's, or runs a round of it. */
  public boolean inPollerThread() {
    return thread.isCurrent();
  }

  /** What this poller is doing. */
  public PollerSnapshot snapshot() {
    return new PollerSnapshot(
        config.threadName(),
        state(),
        state() == State.OPEN ? epoll.fd() : -1,
        registrations.snapshot(),
        timers.size());
  }

  /** What this poller has done. */
  public PollerStats stats() {
    return counters.stats();
  }

  private State state() {
    End ending = end.get();
    return ending == null ? State.OPEN : ending.state();
  }

  /**
   * Ends this poller: every await fails with {@link ClosedPollerException}, told on the poller
   * thread, tasks that were accepted run, timers are dropped, and a thread of its own ends. Returns
   * when that is done, except on the poller thread itself, where it returns at once. The registered
   * fds stay open. Further calls wait for the same.
   *
   * <p>Two pollers that close each other, each on its own thread, would wait for ever: a {@link
   * PollerGroup} closes them together. So would a shutdown hook that closes the poller on whose own
   * thread {@link System#exit} was called, which does not return.
   */
  @Override
  public void close() {
    beginClose();
    if (closeable && !inPollerThread()) {
      thread.awaitEnd();
    }
  }

  /** {@link #close()} for those who wait for the end themselves, or not at all. */
  void beginClose() {
    FailureCause reason = () -> new ClosedPollerException(config.threadName());
    if (closeable && end.compareAndSet(null, new End(State.CLOSED, reason))) {
      registrations.end(reason);
      // A task, because the loop looks for tasks once more before it sleeps.
      loop.post(() -> {});
      wakeup.wake();
    }
  }

  boolean hasEnded() {
    return end.get() != null;
  }

  /**
   * One round, unless this poller has ended; returns whether there was anything to do. A round that
   * fails ends the poller.
   *
   * <p>Thread: one at a time, which is the poller thread then.
   */
  boolean round(long maxWaitNanos) {
    try {
      return !hasEnded() && loop.round(maxWaitNanos);
    } catch (Throwable e) {
      fail(e);
      return true;
    }
  }

  /** For {@link Watchdog}. Thread: any; what it reads may be a moment old. */
  long progress() {
    return wakeup.isAsleep()
        ? Watchdog.ASLEEP
        : counters.waits + counters.events + counters.tasks + registrations.toldOfTheEnd();
  }

  /** Needs no memory but for the log: it may be for want of it that the poller fails. */
  void fail(Throwable cause) {
    failure = cause;
    if (end.compareAndSet(null, failed)) {
      Log.error("a poller has failed, and its awaits end", config.threadName(), cause);
    }
  }

  /** After the last round: ends what is left, and closes our descriptors. */
  void finish() {
    loop.finish(Objects.requireNonNull(end.get()).reason());
  }

  @Override
  public String toString() {
    return "Poller(" + config.threadName() + ", " + state() + ")";
  }
}
