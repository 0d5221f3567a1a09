package dev.epoll;

import dev.epoll.sys.EventBuffer;
import dev.epoll.sys.Syscalls;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Wait, dispatch, timers, tasks. A {@link #round} does that once and knows nothing of the thread
 * that calls it.
 *
 * <p>Fairness: each part of a round is bounded, so neither a flood of events nor a task that posts
 * itself again keeps the others waiting for more than a round. What a task posts is for the next.
 *
 * <p>Thread: {@link #post} from any; the rest on one thread at a time, which is the poller thread
 * then.
 */
final class PollLoop {
  /**
   * How often a full batch is followed by another look, before timers and tasks have their turn.
   */
  private static final int MAX_POLLS_PER_ROUND = 8;

  /** In the queue behind the tasks of a round. */
  private static final class EndOfRound implements Runnable {
    @Override
    public void run() {}
  }

  private static final EndOfRound END_OF_ROUND = new EndOfRound();

  private final Syscalls syscalls;
  private final PollerConfig config;
  private final EpollFd epoll;
  private final Wakeup wakeup;
  private final Registrations registrations;
  private final Timers timers;
  private final Counters counters;
  private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();

  private final WaiterQueue.Batch met = new WaiterQueue.Batch();
  private final WaiterQueue.Batch lost = new WaiterQueue.Batch();
  private EventBuffer events;

  /** Whether {@code END_OF_ROUND} is in the queue. */
  private boolean isMarked;

  /** Set once no round will follow; then a task is refused, or runs in {@link #finish}. */
  private volatile boolean finished;

  PollLoop(
      Syscalls syscalls,
      PollerConfig config,
      EpollFd epoll,
      Wakeup wakeup,
      Registrations registrations,
      Timers timers,
      Counters counters) {
    this.syscalls = syscalls;
    this.config = config;
    this.epoll = epoll;
    this.wakeup = wakeup;
    this.registrations = registrations;
    this.timers = timers;
    this.counters = counters;
    this.events = new EventBuffer(syscalls, config.batchSize());
  }

  /** Accepts {@code task} for a later round. Returns false if there will be none. */
  boolean post(Runnable task) {
    if (finished) {
      return false;
    }
    tasks.add(task);
    // Ordering: finish() sets the flag before it empties the queue for the last time, so what is
    // still in the queue now will not be run by it.
    return !finished || !tasks.remove(task);
  }

  /**
   * Waits up to {@code maxWaitNanos} ({@link EpollFd#FOREVER} for no limit) for something to do,
   * and does it. Returns whether there was anything.
   *
   * @throws SyscallException if the epoll fd cannot be waited on any more
   */
  boolean round(long maxWaitNanos) throws SyscallException {
    int count = waitForEvents(maxWaitNanos);
    boolean isBusy = count > 0;
    for (int polls = 1; ; polls++) {
      dispatch(count);
      if (count < events.capacity() || polls == MAX_POLLS_PER_ROUND) {
        break;
      }
      if (events.capacity() < config.maxBatchSize()) {
        events = new EventBuffer(syscalls, Math.min(events.capacity() * 2, config.maxBatchSize()));
      }
      count = poll(0);
    }
    isBusy |= runTimers();
    isBusy |= runTasks(config.tasksPerRound());
    return isBusy;
  }

  private int waitForEvents(long maxWaitNanos) throws SyscallException {
    if (maxWaitNanos == 0 || !tasks.isEmpty()) {
      return poll(0);
    }
    try {
      return poll(sooner(maxWaitNanos, fallAsleep(System.nanoTime())));
    } finally {
      wakeUp();
    }
  }

  /**
   * Begins a sleep, which an event, and the wakeup, is to end, and {@link #wakeUp()} then.
   *
   * @param now by {@link System#nanoTime()}
   * @return how long from {@code now} until there is something to do that no event tells of: 0 if
   *     there is, {@link EpollFd#FOREVER} if there will not be
   */
  long fallAsleep(long now) {
    // Ordering: published before tasks and timers are looked for once more; see Wakeup.
    wakeup.beforeSleep();
    return tasks.isEmpty() ? timers.nanosToFirst(now) : 0;
  }

  /** Ends a sleep, if there is one: until the next, who brings work need not write the wakeup. */
  void wakeUp() {
    wakeup.afterSleep();
  }

  private static long sooner(long a, long b) {
    return a == EpollFd.FOREVER ? b : b == EpollFd.FOREVER ? a : Math.min(a, b);
  }

  private int poll(long timeoutNanos) throws SyscallException {
    counters.waits++;
    return epoll.await(events, timeoutNanos);
  }

  private void dispatch(int count) {
    for (int i = 0; i < count; i++) {
      long token = events.data(i);
      if (token != Token.WAKEUP) {
        counters.events++;
        dispatch(Token.slot(token), Token.sequence(token), events.events(i));
      }
    }
  }

  private void dispatch(int slot, int sequence, int mask) {
    Registration registration = registrations.bySlot(slot);
    if (registration == null) {
      counters.staleEvents++;
      return;
    }
    int error = registration.event(sequence, mask, met, lost);
    counters.resumes += met.size();
    met.ready(Readiness.of(mask));
    if (error != 0) {
      counters.failures.add(lost.size());
      lost.failed(() -> registration.failure(error));
    }
  }

  private boolean runTimers() {
    if (timers.size() == 0) {
      return false;
    }
    long now = System.nanoTime();
    for (int i = 0; i < config.tasksPerRound(); i++) {
      Timers.Action action = timers.takeDue(now);
      if (action == null) {
        return i > 0;
      }
      run(action::due);
    }
    return true;
  }

  private boolean runTasks(int limit) {
    if (tasks.isEmpty()) {
      return false;
    }
    if (!isMarked) {
      isMarked = tasks.add(END_OF_ROUND);
    }
    for (int i = 0; i < limit; i++) {
      Runnable task = tasks.poll();
      if (task == null || task instanceof EndOfRound) {
        isMarked = false;
        return i > 0;
      }
      run(task);
    }
    return true;
  }

  private void run(Runnable task) {
    counters.tasks++;
    try {
      task.run();
    } catch (Throwable e) {
      Log.error("a task threw, the others go on", task.getClass().getName(), e);
    }
  }

  /**
   * After the last round: ends every await and timer with {@code reason}, and runs the tasks that
   * were accepted, among them those that the ended awaits post. The epoll fd and the wakeup are
   * closed when this returns.
   */
  void finish(FailureCause reason) {
    // Of an event that was being dispatched when the loop broke.
    met.failed(reason);
    lost.failed(reason);
    registrations.end(reason);
    registrations.tellEnded(reason);
    for (Timers.Action action = timers.takeEnded(reason);
        action != null;
        action = timers.takeEnded(reason)) {
      Timers.Action ended = action;
      run(() -> ended.ended(reason.exception()));
    }
    // From now on no task is accepted, so the queue comes to an end even where a task posts
    // another.
    finished = true;
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      if (!(task instanceof EndOfRound)) {
        run(task);
      }
    }
    wakeup.close();
    epoll.close();
  }
}
