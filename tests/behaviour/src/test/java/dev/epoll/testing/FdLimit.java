package dev.epoll.testing;

import java.util.function.Supplier;
import jnr.ffi.LibraryLoader;

/** The limit of open fds of this process. */
public final class FdLimit {
  private FdLimit() {}

  /** setrlimit(2) and its number for open files. */
  public interface Limits {
    Limits C = LibraryLoader.create(Limits.class).load("c");

    int RLIMIT_NOFILE = 7;

    int getrlimit(int resource, long[] softAndHard);

    int setrlimit(int resource, long[] softAndHard);
  }

  /** What {@code attempt} gives while every attempt to open an fd fails with EMFILE. */
  public static <T> T whileReached(Supplier<T> attempt) {
    return whileBelow(0, attempt);
  }

  /** What {@code attempt} gives while at most {@code count} fds can be opened. */
  public static <T> T whileRoomFor(int count, Supplier<T> attempt) {
    int lowestFree = LibC.check(LibC.C.dup(0));
    LibC.check(LibC.C.close(lowestFree));
    return whileBelow(lowestFree + count, attempt);
  }

  private static <T> T whileBelow(int limit, Supplier<T> attempt) {
    long[] before = new long[2];
    LibC.check(Limits.C.getrlimit(Limits.RLIMIT_NOFILE, before));
    LibC.check(Limits.C.setrlimit(Limits.RLIMIT_NOFILE, new long[] {limit, before[1]}));
    try {
      return attempt.get();
    } finally {
      LibC.check(Limits.C.setrlimit(Limits.RLIMIT_NOFILE, before));
    }
  }
}
