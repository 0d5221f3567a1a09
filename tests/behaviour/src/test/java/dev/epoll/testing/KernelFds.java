package dev.epoll.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.sys.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The open fds that are no files: those that a JVM does not open by itself as classes load. */
public final class KernelFds {
  static {
    // The first use of a FileChannel leaves a socket open for good, and loading jnr-ffi uses one.
    LibC.C.getpid();
    Backend.syscalls();
    try {
      Files.readString(Path.of("/proc/self/stat"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private KernelFds() {}

  /** As {@link Fds#openNow()}, without what has a path. */
  public static Map<Integer, String> openNow() {
    Map<Integer, String> fds = new TreeMap<>(Fds.openNow());
    fds.values().removeIf(target -> target.startsWith("/"));
    return fds;
  }

  /**
   * Fails if there are fds that were not there {@code before}. Some may have gone meanwhile: the
   * JDK closes the pipes of a process that has ended in its own time.
   */
  public static void assertNoneSince(Map<Integer, String> before) {
    Map<Integer, String> since = openNow();
    since.entrySet().removeAll(before.entrySet());
    assertEquals(Map.of(), since, "fds that were left open");
  }
}
