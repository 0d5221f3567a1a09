package dev.epoll.fd;

import java.util.List;

/**
 * A signal by its number, which is the same on every CPU that this library supports; see <a
 * href="https://man7.org/linux/man-pages/man7/signal.7.html">signal(7)</a>.
 *
 * @param number 1 to {@link #MAX}
 */
public record Signal(int number) {
  /** The highest number, that of SIGRTMAX. */
  public static final int MAX = 64;

  public static final Signal HUP = new Signal(1);
  public static final Signal INT = new Signal(2);
  public static final Signal QUIT = new Signal(3);
  public static final Signal ABRT = new Signal(6);
  public static final Signal KILL = new Signal(9);
  public static final Signal USR1 = new Signal(10);
  public static final Signal USR2 = new Signal(12);
  public static final Signal PIPE = new Signal(13);
  public static final Signal ALRM = new Signal(14);
  public static final Signal TERM = new Signal(15);
  public static final Signal CHLD = new Signal(17);
  public static final Signal CONT = new Signal(18);
  public static final Signal STOP = new Signal(19);
  public static final Signal TSTP = new Signal(20);
  public static final Signal WINCH = new Signal(28);

  private static final List<String> NAMES =
      List.of(
          ("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT"
                  + " STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS")
              .split(" "));

  /** The first of the real-time signals that the C library leaves to programs. */
  private static final int RTMIN = 34;

  /**
   * The signal of this number.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Signal {
    if (number < 1 || number > MAX) {
      throw new IllegalArgumentException("no signal is " + number + ": give 1 to " + MAX);
    }
  }

  /**
   * The real-time signal SIGRTMIN + {@code offset}. Real-time signals are queued: each that is sent
   * arrives.
   *
   * @throws IllegalArgumentException if {@code offset} is not 0 to 30
   */
  public static Signal realTime(int offset) {
    if (offset < 0 || offset > MAX - RTMIN) {
      throw new IllegalArgumentException(
          "no signal is SIGRTMIN+" + offset + ": give 0 to " + (MAX - RTMIN));
    }
    return new Signal(RTMIN + offset);
  }

  /** The name as kill(1) and env(1) take it, for example {@code USR1} or {@code RTMIN+3}. */
  public String shortName() {
    if (number <= NAMES.size()) {
      return NAMES.get(number - 1);
    }
    return number < RTMIN ? String.valueOf(number) : "RTMIN+" + (number - RTMIN);
  }

  /** The name with SIG before it. */
  @Override
  public String toString() {
    return "SIG" + shortName();
  }

  /** Its bit in a set of signals, as the kernel has it. */
  long bit() {
    return 1L << (number - 1);
  }
}
