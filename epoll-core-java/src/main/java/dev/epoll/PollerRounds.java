package dev.epoll;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The rounds of a poller that has no thread of its own, for its {@link PollerDriver}. When there is
 * nothing to do it sleeps through the {@link Poller#shared() shared poller}, whose thread watches
 * this poller's epoll fd.
 *
 * <p>Kernel: an epoll fd is readable while an fd of its set is ready (epoll(7)).
 *
 * <p>Thread: every method from any; {@code lock} lets one round run at a time, and whoever holds it
 * is the poller thread.
 */
public final class PollerRounds {
  /**
   * How many rounds in a row find nothing before it is worth a sleep, which costs more than a look:
   * an epoll_ctl, and the shared poller's thread to end it. Those whom a round resumed have had
   * their turn by the first of these, and those who answer them by the second.
   */
  private static final int QUIET_ROUNDS_BEFORE_SLEEP = 2;

  private final Poller poller;
  private final PollLoop loop;
  private final Registration registration;
  private final Alarm alarm;
  private final ReentrantLock lock = new ReentrantLock();

  /** How many of the last rounds found nothing, as far as it matters. Guarded by {@code lock}. */
  private int quietRounds;

  private volatile boolean over;

  PollerRounds(Poller poller, PollLoop loop, Wakeup wakeup, EpollFd epoll) throws IOException {
    this.poller = poller;
    this.loop = loop;
    Poller shared = Poller.openShared();
    this.alarm = new Alarm(shared::schedule, wakeup);
    this.registration = shared.register(epoll.fd());
  }

  /**
   * Runs one round, without waiting: events, timers, tasks. Once the poller has ended, ends what is
   * left, and {@link #isOver()}. Within a round it does nothing.
   *
   * @return whether to run another soon, once others have had their turn; else {@link #arm sleep}
   */
  public boolean run() {
    lock.lock();
    try {
      if (over || isNested()) {
        return false;
      }
      loop.wakeUp();
      boolean isBusy = poller.round(0);
      if (poller.hasEnded()) {
        over = true;
        alarm.cancel();
        registration.close();
        poller.finish();
        return false;
      }
      quietRounds = isBusy ? 0 : Math.min(quietRounds + 1, QUIET_ROUNDS_BEFORE_SLEEP);
      return quietRounds < QUIET_ROUNDS_BEFORE_SLEEP;
    } finally {
      lock.unlock();
    }
  }

  /** Whether who has just taken the lock held it before, in a round. */
  private boolean isNested() {
    return lock.getHoldCount() > 1;
  }

  /** Whether there will be no more rounds. */
  public boolean isOver() {
    return over;
  }

  /**
   * Where a driver waits that has found nothing to do: to cancel what {@link #arm} has armed, and
   * for {@link Registration#blockOn}. Arm it by {@link #arm} only, and do not close it.
   */
  public Registration registration() {
    return registration;
  }

  /**
   * Sleeps: {@code waiter} is told once there may be something to do; then {@link #run()}. If it is
   * told of a failure, or this throws, then the poller has ended, or cannot sleep: {@link
   * #fail(Throwable)}, which does nothing to one that has ended.
   *
   * @return false if there is something to do now, as there is within a round, or it is over;
   *     {@code waiter} will not be told
   * @throws IOException as {@link Registration#arm}
   */
  public boolean arm(Waiter waiter) throws IOException {
    lock.lock();
    try {
      if (over || isNested()) {
        return false;
      }
      long now = System.nanoTime();
      long nanos = loop.fallAsleep(now);
      if (nanos == 0) {
        return false;
      }
      if (nanos != EpollFd.FOREVER) {
        alarm.ringBy(now + nanos);
      }
      registration.arm(Interest.READABLE, waiter);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that no round will be run any more, because of {@code cause}: the poller has failed.
   * Within a round, that one is the last.
   */
  public void fail(Throwable cause) {
    poller.fail(cause);
    run();
  }

  /** Whether the calling thread is in a round. */
  boolean isInRound() {
    return lock.isHeldByCurrentThread();
  }
}
