package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.ItimerSpec;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;

/**
 * A timer in the kernel that can be awaited: readable once it has expired, until its expirations
 * are taken. Non-blocking and close-on-exec; see <a
 * href="https://man7.org/linux/man-pages/man2/timerfd_create.2.html">timerfd_create(2)</a>.
 *
 * <p>It expires once, or again after each period, and counts the expirations that nobody has taken
 * yet, so that a slow reader misses none. Setting it replaces the former setting and forgets what
 * was counted. It never expires early. Times beyond what the kernel counts, some 292 years, never
 * come.
 *
 * <p>Thread: every method from any. Of several who take, one gets an expiration.
 */
public final class TimerFd extends AwaitableFd {
  /** What {@link #tryTake()} returns when the timer has not expired. */
  public static final long NONE = 0;

  private static final Syscalls SYSCALLS = Backend.syscalls();

  /** Kernel: a time of 0 disarms a timer, so this is the soonest that one can expire. */
  private static final Duration AT_ONCE = Duration.ofNanos(1);

  /** What a timer goes by; see clock_gettime(2). */
  public enum Clock {
    /** Never set; stands still while the system is suspended. That of {@link System#nanoTime()}. */
    MONOTONIC(Linux.CLOCK_MONOTONIC),
    /** The time of day, which can be set. That of {@link Instant#now()}. */
    REALTIME(Linux.CLOCK_REALTIME),
    /** As {@link #MONOTONIC}, and goes on while the system is suspended. */
    BOOTTIME(Linux.CLOCK_BOOTTIME);

    private final int number;

    Clock(int number) {
      this.number = number;
    }
  }

  /** What becomes of a timer that was set to a time of day when the clock is set. */
  public enum OnClockSet {
    /** It expires when the clock, as it goes now, shows that time. */
    FOLLOW(0),
    /**
     * It becomes readable, and the next taking or setting throws {@link ClockSetException}, for the
     * caller to set it again: one that had expired before would not go on periodically.
     */
    CANCEL(Linux.TFD_TIMER_CANCEL_ON_SET);

    private final int flag;

    OnClockSet(int flag) {
      this.flag = flag;
    }
  }

  /**
   * How a timer is set.
   *
   * @param remaining until it expires next; {@link Duration#ZERO} if it will not
   * @param period between two expirations; {@link Duration#ZERO} if it expires once
   */
  public record Setting(Duration remaining, Duration period) {
    /** Whether it will expire. */
    public boolean isArmed() {
      return !remaining.isZero();
    }
  }

  private final Clock clock;

  private TimerFd(Poller poller, int fd, Clock clock) throws IOException {
    super(poller, OwnedFd.owned(fd));
    this.clock = clock;
  }

  /**
   * A timer of {@link Clock#MONOTONIC}, not armed.
   *
   * @throws SyscallException EMFILE or ENFILE
   * @throws IOException as {@link Poller#register}
   */
  public static TimerFd open(Poller poller) throws IOException {
    return open(poller, Clock.MONOTONIC);
  }

  /**
   * A timer that goes by {@code clock}, not armed.
   *
   * @throws SyscallException EMFILE or ENFILE
   * @throws IOException as {@link Poller#register}
   */
  public static TimerFd open(Poller poller, Clock clock) throws IOException {
    int fd = SYSCALLS.timerfdCreate(clock.number, Linux.TFD_CLOEXEC | Linux.TFD_NONBLOCK);
    if (fd < 0) {
      throw new SyscallException("timerfd_create", -fd, -1);
    }
    return new TimerFd(poller, fd, clock);
  }

  /** What it goes by. */
  public Clock clock() {
    return clock;
  }

  /**
   * Expires once, after {@code delay}; {@link Duration#ZERO}: at once.
   *
   * @throws IllegalArgumentException if {@code delay} is negative
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public void setAfter(Duration delay) throws IOException {
    setAfter(delay, Duration.ZERO);
  }

  /**
   * Expires after {@code delay}, and again after each {@code period}.
   *
   * @param period {@link Duration#ZERO}: expires once
   * @throws IllegalArgumentException if either is negative
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public void setAfter(Duration delay, Duration period) throws IOException {
    checkNotNegative("delay", delay);
    set(0, delay, period);
  }

  /**
   * Expires after each {@code period}, first when one has passed.
   *
   * @throws IllegalArgumentException if {@code period} is negative or zero
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public void setEvery(Duration period) throws IOException {
    if (period.isZero()) {
      throw new IllegalArgumentException(
          "the period is zero: give at least a nanosecond, or use disarm()");
    }
    setAfter(period, period);
  }

  /**
   * Expires once, when the clock shows {@code time}, or at once if it has shown it; {@link
   * OnClockSet#FOLLOW}s the clock.
   *
   * @throws UnsupportedOperationException unless the clock is {@link Clock#REALTIME}
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public void setAt(Instant time) throws IOException {
    setAt(time, Duration.ZERO, OnClockSet.FOLLOW);
  }

  /**
   * Expires when the clock shows {@code first}, and again after each {@code period}. Where {@code
   * first} has passed, the expirations since then count; a time before 1970 is taken for 1970.
   *
   * @param period {@link Duration#ZERO}: expires once
   * @throws IllegalArgumentException if {@code period} is negative
   * @throws UnsupportedOperationException unless the clock is {@link Clock#REALTIME}: no Instant
   *     tells the time of the others, so give a delay
   * @throws ClockSetException if the clock was set while the timer was set to {@link
   *     OnClockSet#CANCEL}, and nobody was told yet; this setting holds all the same
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public void setAt(Instant first, Duration period, OnClockSet onClockSet) throws IOException {
    if (clock != Clock.REALTIME) {
      throw new UnsupportedOperationException(
          "no Instant tells the time of " + clock + ": use setAfter, or open with REALTIME");
    }
    // Kernel: seconds before the clock's zero are EINVAL.
    Instant sinceZero = first.isBefore(Instant.EPOCH) ? Instant.EPOCH : first;
    set(
        Linux.TFD_TIMER_ABSTIME | onClockSet.flag,
        Duration.ofSeconds(sinceZero.getEpochSecond(), sinceZero.getNano()),
        period);
  }

  /**
   * Expires no more; what was counted is forgotten. Those who wait go on waiting.
   *
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public void disarm() throws IOException {
    settime(0, Duration.ZERO, Duration.ZERO);
  }

  private void set(int flags, Duration value, Duration period) throws IOException {
    checkNotNegative("period", period);
    settime(flags, value.isZero() ? AT_ONCE : value, period);
  }

  private static void checkNotNegative(String name, Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("the " + name + " is " + duration + ": give zero or more");
    }
  }

  private void settime(int flags, Duration value, Duration period) throws IOException {
    NativeMemory spec = ScratchMemory.take(SYSCALLS);
    try {
      ItimerSpec.put(spec.buffer(), value, period);
      long address = spec.address();
      callUnlessClockSet("timerfd_settime", fd -> SYSCALLS.timerfdSettime(fd, flags, address, 0));
    } finally {
      ScratchMemory.giveBack(spec);
    }
  }

  /**
   * How it is set now. Of a periodic timer that has expired, the next expiration.
   *
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public Setting setting() throws IOException {
    NativeMemory spec = ScratchMemory.take(SYSCALLS);
    try {
      long address = spec.address();
      call("timerfd_gettime", fd -> SYSCALLS.timerfdGettime(fd, address));
      return new Setting(ItimerSpec.value(spec.buffer()), ItimerSpec.interval(spec.buffer()));
    } finally {
      ScratchMemory.giveBack(spec);
    }
  }

  /**
   * Takes the expirations since they were last taken, and never waits.
   *
   * @return how many; {@link #NONE}, 0, if the timer has not expired
   * @throws ClockSetException if the clock was set, and {@link OnClockSet#CANCEL} was asked for
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public long tryTake() throws IOException {
    NativeMemory count = ScratchMemory.take(SYSCALLS);
    try {
      long address = count.address();
      long result = callUnlessClockSet("read", fd -> SYSCALLS.read(fd, address, Long.BYTES));
      return result == WOULD_BLOCK ? NONE : count.buffer().getLong(0);
    } finally {
      ScratchMemory.giveBack(count);
    }
  }

  private long callUnlessClockSet(String name, Call call) throws IOException {
    try {
      return call(name, call);
    } catch (SyscallException e) {
      throw Errno.ECANCELED.is(-e.errno()) ? new ClockSetException(fd(), e) : e;
    }
  }

  /** This timer for threads. */
  @FunctionalInterface
  public interface Blocking {
    /**
     * Takes the expirations since they were last taken, and waits as long as there are none.
     *
     * @return how many
     * @throws ClockSetException as {@link TimerFd#tryTake()}
     * @throws java.nio.channels.ClosedChannelException if the timer is closed, before or while
     *     waiting
     * @throws java.io.InterruptedIOException if the thread is interrupted, with its status set; the
     *     timer stays open
     */
    long take() throws IOException;
  }

  /**
   * This timer for threads: taking waits. A virtual thread that waits leaves its carrier to others.
   */
  public Blocking blocking() {
    return () -> {
      while (true) {
        long expirations = tryTake();
        if (expirations != NONE) {
          return expirations;
        }
        block(registration(), Interest.READABLE, null);
      }
    };
  }
}
