package dev.epoll;

import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The registrations of one poller: which fd, which slot, and the ADD and DEL that go with them.
 *
 * <p>Invariant: for each fd number, ADD, DEL and the change of {@code byFd} are one step under
 * {@code lock}. So a late DEL cannot take out the entry of a number's next owner.
 *
 * <p>Thread: every method from any. Lock order: this lock, then a registration's.
 */
final class Registrations {
  private final Poller poller;
  private final Syscalls syscalls;
  private final EpollFd epoll;
  private final Wakeup wakeup;
  private final Counters counters;

  private final ReentrantLock lock = new ReentrantLock();
  private final ByFd byFd = new ByFd();
  private final TokenTable<Registration> bySlot = new TokenTable<>();

  /** Who waited when all ended; filled under the lock, told and emptied by the poller thread. */
  private final WaiterQueue.Batch endedWaiters = new WaiterQueue.Batch();

  /** Why nothing can be registered any more; null while the poller is open. */
  private @Nullable FailureCause ended;

  Registrations(Poller poller, Syscalls syscalls, EpollFd epoll, Wakeup wakeup, Counters counters) {
    this.poller = poller;
    this.syscalls = syscalls;
    this.epoll = epoll;
    this.wakeup = wakeup;
    this.counters = counters;
  }

  Poller poller() {
    return poller;
  }

  Syscalls syscalls() {
    return syscalls;
  }

  EpollFd epoll() {
    return epoll;
  }

  Counters counters() {
    return counters;
  }

  /** EPOLL_CTL_ADD with nothing armed. A failure leaves nothing behind. */
  Registration open(int fd) throws IOException {
    WaiterQueue.Batch orphans = new WaiterQueue.Batch();
    try {
      return open(fd, orphans);
    } finally {
      tellOrphans(orphans);
    }
  }

  /**
   * The same. Those who wait on a registration of the number's last owner, if there is one, are
   * moved to {@code orphans}, for the caller to {@link #tellOrphans} once it holds no lock.
   */
  Registration open(int fd, WaiterQueue.Batch orphans) throws IOException {
    lock.lock();
    try {
      if (ended != null) {
        throw ended.exception();
      }
      int slot = bySlot.allocate();
      int sequence = bySlot.lastSequence(slot) + 1;
      Registration previous = byFd.get(fd);
      long token = Token.of(slot, sequence);
      int result =
          previous == null ? add(fd, token) : previous.replace(() -> add(fd, token), orphans);
      if (result < 0) {
        bySlot.free(slot, sequence);
        throw EpollFd.failure(Linux.EPOLL_CTL_ADD, fd, -result);
      }
      Registration registration = new Registration(this, fd, slot, sequence);
      bySlot.put(slot, registration);
      byFd.put(registration);
      if (previous != null) {
        bySlot.free(previous.slot(), previous.lastSequence());
      }
      return registration;
    } finally {
      lock.unlock();
    }
  }

  private int add(int fd, long token) {
    // Kernel: with no event bit an entry still reports ERR and HUP; ONESHOT makes that one event,
    // which is dropped, instead of one in every wait.
    int result = epoll.control(Linux.EPOLL_CTL_ADD, fd, Linux.EPOLLONESHOT, token);
    counters.controls.increment();
    if (Errno.EEXIST.is(result) && byFd.get(fd) == null && fd != wakeup.fd()) {
      // An entry without a registration: the fd was closed too early, lived on in a duplicate, and
      // was brought back to its number.
      result = epoll.control(Linux.EPOLL_CTL_MOD, fd, Linux.EPOLLONESHOT, token);
      counters.controls.increment();
    }
    return result;
  }

  void tellOrphans(WaiterQueue.Batch orphans) {
    fail(orphans, FailureCause.FD_REPLACED);
  }

  /** EPOLL_CTL_DEL, then tells those who wait. Does nothing if {@code registration} has ended. */
  void close(Registration registration, FailureCause reason) {
    WaiterQueue.Batch waiting = new WaiterQueue.Batch();
    lock.lock();
    try {
      if (!registration.end(reason, waiting)) {
        return;
      }
      byFd.remove(registration);
      bySlot.free(registration.slot(), registration.lastSequence());
      // EBADF and ENOENT say that the fd was closed first; then there is nothing to take out.
      epoll.control(Linux.EPOLL_CTL_DEL, registration.fd(), 0, 0);
      counters.controls.increment();
    } finally {
      lock.unlock();
    }
    fail(waiting, reason);
  }

  /**
   * Ends all, and refuses new ones from now on. When this returns nobody calls into the epoll fd
   * any more, so it can be closed. Those who wait are told by {@link #tellEnded}.
   */
  void end(FailureCause reason) {
    lock.lock();
    try {
      ended = reason;
      for (Registration registration : byFd.values()) {
        registration.end(reason, endedWaiters);
      }
      byFd.clear();
    } finally {
      lock.unlock();
    }
  }

  /** Thread: the poller thread, after {@link #end}; so they are told where they would have been. */
  void tellEnded(FailureCause reason) {
    fail(endedWaiters, reason);
  }

  /** How many {@link #tellEnded} has told. Thread: any; it may be a moment old. */
  int toldOfTheEnd() {
    return endedWaiters.told();
  }

  private void fail(WaiterQueue.Batch waiting, FailureCause reason) {
    if (waiting.size() > 0) {
      counters.failures.add(waiting.size());
      waiting.failed(reason);
    }
  }

  @Nullable Registration find(int fd) {
    lock.lock();
    try {
      return byFd.get(fd);
    } finally {
      lock.unlock();
    }
  }

  /** The registration that a token's slot belongs to. Thread: any, without the lock. */
  @Nullable Registration bySlot(int slot) {
    return bySlot.find(slot);
  }

  List<PollerSnapshot.Watched> snapshot() {
    lock.lock();
    try {
      return byFd.values().stream().map(Registration::snapshot).toList();
    } finally {
      lock.unlock();
    }
  }
}
