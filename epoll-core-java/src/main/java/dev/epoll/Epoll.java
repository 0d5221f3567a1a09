package dev.epoll;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.EventBuffer;
import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * One kernel epoll set, seen whole: everything <a
 * href="https://man7.org/linux/man-pages/man7/epoll.7.html">epoll(7)</a> offers, for programs that
 * run a loop of their own. Keeps a table of what was put in, so that the set can be listed and
 * printed, and checked against the kernel's own list.
 *
 * <p>The fds stay the caller's: remove one before closing it. A closed fd leaves the kernel's set
 * by itself only when no duplicate of it is open anywhere, and the table learns of it at the next
 * call that names it.
 *
 * <p>Thread: every method from any thread, but one thread at a time may wait and read {@link
 * #ready()}. Changes take effect on a wait that is already blocked.
 */
public final class Epoll implements AutoCloseable {
  /** How many events one wait returns at the most, unless {@link #open(int)} says otherwise. */
  public static final int DEFAULT_MAX_READY_EVENTS = 256;

  // Kernel: epoll_wait(2) refuses more than INT_MAX / sizeof(struct epoll_event) with EINVAL.
  private static final int MAX_READY_EVENTS_LIMIT = Integer.MAX_VALUE / 16;

  /**
   * One fd of the set.
   *
   * @param fd the descriptor's number
   * @param mask what it was added or last modified with
   * @param data the 64 bits that its events carry
   */
  public record Entry(int fd, EventMask mask, long data) {}

  /** The waiting thread and {@link #close}: whoever leaves last closes the epoll fd. */
  private enum State {
    /** Nobody waits. */
    IDLE,
    /** A thread is inside waitForEvents. */
    WAITING,
    /** Closed while a thread was inside waitForEvents, which closes the fd on its way out. */
    CLOSING,
    CLOSED
  }

  private final Syscalls syscalls;
  private final EpollFd epoll;
  private final EventBuffer events;
  private final ReadyEvents ready;

  /** Guards everything below, and makes an epoll_ctl and its change of the table one step. */
  private final ReentrantLock lock = new ReentrantLock();

  private final TreeMap<Integer, Entry> table = new TreeMap<>();
  private State state = State.IDLE;

  /** The descriptor that ends the wait of a closed set, or -1. */
  private int wakeFd = -1;

  private Epoll(Syscalls syscalls, int maxReadyEvents) throws SyscallException {
    this.syscalls = syscalls;
    this.events = new EventBuffer(syscalls, maxReadyEvents);
    this.ready = new ReadyEvents(events);
    this.epoll = EpollFd.open(syscalls);
  }

  /**
   * An empty set, close-on-exec, whose waits return up to {@link #DEFAULT_MAX_READY_EVENTS} events.
   */
  public static Epoll open() throws SyscallException {
    return open(DEFAULT_MAX_READY_EVENTS);
  }

  /**
   * An empty set, close-on-exec.
   *
   * @param maxReadyEvents how many events one wait returns at the most; others stay for the next
   *     wait
   * @throws IllegalArgumentException if {@code maxReadyEvents} is not positive or more than the
   *     kernel takes
   * @throws SyscallException EMFILE or ENFILE: no descriptor is free
   */
  public static Epoll open(int maxReadyEvents) throws SyscallException {
    if (maxReadyEvents < 1 || maxReadyEvents > MAX_READY_EVENTS_LIMIT) {
      throw new IllegalArgumentException(
          "maxReadyEvents is "
              + maxReadyEvents
              + ": give a number from 1 to "
              + MAX_READY_EVENTS_LIMIT);
    }
    return new Epoll(Backend.syscalls(), maxReadyEvents);
  }

  /**
   * EPOLL_CTL_ADD.
   *
   * @throws IllegalArgumentException if the kernel would refuse the combination of flags; says
   *     which and why
   * @throws SyscallException EEXIST (already in the set), EPERM (cannot be polled, such as a
   *     regular file), EBADF, ELOOP, EINVAL (the set itself), ENOSPC (the sysctl
   *     fs.epoll.max_user_watches)
   * @throws ClosedEpollException if this set is closed
   */
  public void add(int fd, EventMask mask, long data) throws IOException {
    EpollFlags.check(mask);
    EpollFlags.checkTarget(fd, mask);
    lock.lock();
    try {
      checkOpen();
      int error = control(Linux.EPOLL_CTL_ADD, fd, mask, data);
      if (error != 0) {
        throw EpollFd.failure(Linux.EPOLL_CTL_ADD, fd, error);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * EPOLL_CTL_MOD: replaces mask and data, and arms again after {@link EventMask#ONESHOT}. What is
   * ready already is reported again.
   *
   * @throws IllegalArgumentException if {@code mask} has {@link EventMask#EXCLUSIVE}, or the fd was
   *     added with it
   * @throws SyscallException ENOENT (not in the set), EBADF
   * @throws ClosedEpollException if this set is closed
   */
  public void modify(int fd, EventMask mask, long data) throws IOException {
    EpollFlags.checkModify(mask);
    lock.lock();
    try {
      checkOpen();
      int error = control(Linux.EPOLL_CTL_MOD, fd, mask, data);
      if (error != 0) {
        EpollFlags.checkModified(table.get(fd));
        throw EpollFd.failure(Linux.EPOLL_CTL_MOD, fd, error);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Adds {@code fd}, or modifies it if it is in the set: whichever the kernel's list calls for,
   * even where the fd was closed and its number reused.
   *
   * @throws IllegalArgumentException as {@link #add} and {@link #modify}
   * @throws SyscallException as {@link #add}
   * @throws ClosedEpollException if this set is closed
   */
  public void set(int fd, EventMask mask, long data) throws IOException {
    EpollFlags.check(mask);
    EpollFlags.checkTarget(fd, mask);
    lock.lock();
    try {
      checkOpen();
      Entry entry = table.get(fd);
      // What is EXCLUSIVE or shall be can only be added; ADD also asks whether fd is there at all.
      boolean modifiable = entry != null && !entry.mask().or(mask).contains(EventMask.EXCLUSIVE);
      int op = modifiable ? Linux.EPOLL_CTL_MOD : Linux.EPOLL_CTL_ADD;
      int error = control(op, fd, mask, data);
      // The table is right unless somebody closed or dup2'ed over the fd; then the kernel's answer
      // names the other verb.
      if (op == Linux.EPOLL_CTL_MOD && Errno.ENOENT.is(-error)) {
        op = Linux.EPOLL_CTL_ADD;
        error = control(op, fd, mask, data);
      } else if (op == Linux.EPOLL_CTL_ADD && Errno.EEXIST.is(-error)) {
        EpollFlags.checkModify(mask);
        EpollFlags.checkModified(table.get(fd));
        op = Linux.EPOLL_CTL_MOD;
        error = control(op, fd, mask, data);
      }
      if (error != 0) {
        throw EpollFd.failure(op, fd, error);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * EPOLL_CTL_DEL. Whatever the outcome, the table no longer holds {@code fd} afterwards.
   *
   * @throws SyscallException ENOENT (not in the set), EBADF (already closed)
   * @throws ClosedEpollException if this set is closed
   */
  public void remove(int fd) throws IOException {
    lock.lock();
    try {
      checkOpen();
      int error = control(Linux.EPOLL_CTL_DEL, fd, EventMask.NONE, 0);
      if (error != 0) {
        throw EpollFd.failure(Linux.EPOLL_CTL_DEL, fd, error);
      }
    } finally {
      lock.unlock();
    }
  }

  /** epoll_ctl and the same change of the table. Returns 0 or the positive errno. */
  private int control(int op, int fd, EventMask mask, long data) {
    int error = -epoll.control(op, fd, mask.bits(), data);
    if (error == 0 && op != Linux.EPOLL_CTL_DEL) {
      table.put(fd, new Entry(fd, mask, data));
    } else if (op != Linux.EPOLL_CTL_DEL
        && (Errno.EEXIST.is(-error) || Errno.EINVAL.is(-error) || Errno.ELOOP.is(-error))) {
      reread(fd);
    } else {
      table.remove(fd); // removed, or the refusal says that the kernel does not hold it
    }
    return error;
  }

  /**
   * The kernel may hold another entry than the last call left: fd was closed, then dup2'ed back. It
   * shows less than what was asked for once a one-shot entry has fired.
   */
  private void reread(int fd) {
    Entry asked = table.get(fd);
    List<Entry> held;
    try {
      held = kernelTable().stream().filter(entry -> entry.fd() == fd).toList();
    } catch (IOException noFdIsFree) {
      return; // the caller reports the errno of its own call
    }
    boolean same =
        asked != null
            && held.stream()
                .anyMatch(e -> e.data() == asked.data() && asked.mask().contains(e.mask()));
    if (held.isEmpty()) {
      table.remove(fd);
    } else if (!same) {
      table.put(fd, held.get(0));
    }
  }

  /** The entry of {@code fd}, if it is in the table. */
  public Optional<Entry> find(int fd) {
    lock.lock();
    try {
      return Optional.ofNullable(table.get(fd));
    } finally {
      lock.unlock();
    }
  }

  /** The table, in the order of the fds. */
  public List<Entry> entries() {
    lock.lock();
    try {
      return List.copyOf(table.values());
    } finally {
      lock.unlock();
    }
  }

  /** How many fds the table holds. */
  public int size() {
    lock.lock();
    try {
      return table.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * What the kernel holds, from {@code /proc/self/fdinfo}, in the order of the fds; two entries of
   * one number mean that a closed fd lives on in a duplicate. The kernel adds {@link EventMask#ERR}
   * and {@link EventMask#HUP} to every mask: they are left out here where the table does not have
   * them. It drops {@link EventMask#WAKEUP} where that is not permitted. A one-shot entry that has
   * fired shows its flags only.
   *
   * @throws ClosedEpollException if this set is closed
   */
  public List<Entry> kernelEntries() throws IOException {
    lock.lock();
    try {
      checkOpen();
      return kernelTable();
    } finally {
      lock.unlock();
    }
  }

  private List<Entry> kernelTable() throws IOException {
    EventMask implied = EventMask.ERR.or(EventMask.HUP);
    return KernelTable.read(epoll.fd()).stream()
        .map(
            held -> {
              Entry asked = table.get(held.fd());
              EventMask kept = asked == null ? EventMask.NONE : asked.mask().and(implied);
              return new Entry(
                  held.fd(), held.mask().without(implied).or(kept.and(held.mask())), held.data());
            })
        .toList();
  }

  /**
   * Waits until an fd of the set is ready, for ever. The events are in {@link #ready()}.
   *
   * @return how many events there are, at least 1
   * @throws IllegalStateException if another thread waits on this set, or the call comes from
   *     inside its {@code forEach}
   * @throws ClosedEpollException if this set is closed, before or while waiting
   */
  public int waitForEvents() throws IOException {
    return waitForEvents(EpollFd.FOREVER);
  }

  /**
   * Waits until an fd of the set is ready or {@code timeout} has passed, never less. Exact to the
   * nanosecond where the kernel has epoll_pwait2(2) (5.11), else rounded up to the millisecond. A
   * signal does not end it.
   *
   * @param timeout {@link Duration#ZERO}: asks the kernel and returns at once
   * @return how many events there are; 0 when the time is over
   * @throws IllegalArgumentException if {@code timeout} is negative
   * @throws IllegalStateException if another thread waits on this set, or the call comes from
   *     inside its {@code forEach}
   * @throws ClosedEpollException if this set is closed, before or while waiting
   */
  public int waitForEvents(Duration timeout) throws IOException {
    return waitForEvents(Time.nanos("timeout", timeout));
  }

  private int waitForEvents(long timeoutNanos) throws IOException {
    beginWait();
    int count = 0;
    try {
      ready.clear();
      count = epoll.await(events, timeoutNanos);
    } finally {
      count = endWait(count);
    }
    ready.filled(count);
    return count;
  }

  private void beginWait() throws ClosedEpollException {
    lock.lock();
    try {
      checkOpen();
      if (state == State.WAITING) {
        throw new IllegalStateException(
            "another thread is waiting on this Epoll: one at a time, or open another set");
      }
      state = State.WAITING;
    } finally {
      lock.unlock();
    }
  }

  private int endWait(int count) throws ClosedEpollException {
    lock.lock();
    try {
      if (state == State.CLOSING) {
        state = State.CLOSED;
        epoll.close();
        if (wakeFd >= 0) {
          syscalls.close(wakeFd);
        }
        throw new ClosedEpollException();
      }
      state = State.IDLE;
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** The events of the last wait; always the same object. */
  public ReadyEvents ready() {
    return ready;
  }

  /**
   * The epoll fd, which can itself be polled, or added to another set: it is readable while an fd
   * of this set is ready.
   */
  public int fd() {
    return epoll.fd();
  }

  /**
   * Whether a wait would return an event now. Takes none.
   *
   * @throws ClosedEpollException if this set is closed
   */
  public boolean isReady() throws IOException {
    lock.lock();
    try {
      checkOpen();
      int reported = PollFd.ask(syscalls, epoll.fd(), Linux.EPOLLIN);
      if (reported < 0) {
        throw new SyscallException("poll", -reported, epoll.fd());
      }
      return reported != 0;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends this set; the fds in it stay open. A wait that is blocked ends with {@link
   * ClosedEpollException}; where the kernel has no descriptor or no memory for the wakeup that this
   * takes, with the next event. Further calls do nothing.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (state == State.WAITING) {
        state = State.CLOSING;
        wakeTheWaitingThread();
      } else if (state == State.IDLE) {
        state = State.CLOSED;
        epoll.close();
      }
      table.clear();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Kernel: close(2) of the epoll fd does not end a blocked epoll_wait, an fd that is ready does.
   * Where no descriptor is free for one, the wait ends as it would have, and closes then.
   */
  private void wakeTheWaitingThread() {
    int alwaysReadable = syscalls.eventfd(1, Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK);
    if (alwaysReadable >= 0) {
      epoll.control(Linux.EPOLL_CTL_ADD, alwaysReadable, Linux.EPOLLIN, 0);
      wakeFd = alwaysReadable;
    }
  }

  private void checkOpen() throws ClosedEpollException {
    if (state == State.CLOSING || state == State.CLOSED) {
      throw new ClosedEpollException();
    }
  }

  /** A readable table: one line per fd. */
  @Override
  public String toString() {
    lock.lock();
    try {
      String lines =
          table.values().stream()
              .map(
                  entry ->
                      "%n  fd %d  %s  data 0x%x".formatted(entry.fd(), entry.mask(), entry.data()))
              .collect(Collectors.joining());
      return "Epoll(fd %d, %s, %d entries)%s".formatted(epoll.fd(), state, table.size(), lines);
    } finally {
      lock.unlock();
    }
  }
}
