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
    long[] before = new long[2];
    LibC.check(Limits.C.getrlimit(Limits.RLIMIT_NOFILE, before));
    LibC.check(Limits.C.setrlimit(Limits.RLIMIT_NOFILE, new long[] {0, before[1]}));
    try {
      return attempt.get();
    } finally {
      LibC.check(Limits.C.setrlimit(Limits.RLIMIT_NOFILE, before));
    }
  }
}
