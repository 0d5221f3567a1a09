package dev.epoll.testing;

import java.util.function.Supplier;
import jnr.ffi.LibraryLoader;

/**
 * A lower limit of open fds of this process, until it is closed: {@code try (FdLimit limit =
 * FdLimit.reached())}. The JVM reads its limit once, so it is the kernel's that is lowered.
 */
public final class FdLimit implements AutoCloseable {
  private static final int RLIMIT_NOFILE = 7;

  /** getrlimit(2) and setrlimit(2). */
  public interface Limits {
    Limits C = LibraryLoader.create(Limits.class).load("c");

    int getrlimit(int resource, long[] softAndHard);

    int setrlimit(int resource, long[] softAndHard);
  }

  private final long[] before = new long[2];

  private FdLimit(int limit) {
    LibC.check(Limits.C.getrlimit(RLIMIT_NOFILE, before));
    LibC.check(Limits.C.setrlimit(RLIMIT_NOFILE, new long[] {limit, before[1]}));
  }

  /** Every attempt to open an fd fails with EMFILE, also below the numbers that are in use. */
  public static FdLimit reached() {
    return new FdLimit(0);
  }

  /** At most {@code count} fds can be opened; nothing else that has a limit of its own changes. */
  public static FdLimit roomFor(int count) {
    int lowestFree = LibC.check(LibC.C.dup(0));
    LibC.check(LibC.C.close(lowestFree));
    return new FdLimit(lowestFree + count);
  }

  /** What {@code attempt} gives while the limit is {@link #reached()}. */
  @SuppressWarnings("try") // the limit is held, not used
  public static <T> T whileReached(Supplier<T> attempt) {
    try (FdLimit limit = reached()) {
      return attempt.get();
    }
  }

  /** What {@code attempt} gives while there is {@link #roomFor} {@code count}. */
  @SuppressWarnings("try") // the limit is held, not used
  public static <T> T whileRoomFor(int count, Supplier<T> attempt) {
    try (FdLimit limit = roomFor(count)) {
      return attempt.get();
    }
  }

  @Override
  public void close() {
    LibC.check(Limits.C.setrlimit(RLIMIT_NOFILE, before));
  }
}
