package dev.epoll.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * Waiting for a state, never for a time. The limit is only there so that a test which has failed
 * ends.
 */
public final class Eventually {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** epoll_wait, epoll_pwait and epoll_pwait2 on x86-64, and the latter two on other CPUs. */
  private static final Set<String> EPOLL_WAITS = Set.of("232", "281", "22", "441");

  private Eventually() {}

  /** Returns once {@code condition} is true; fails with {@code what} if that does not happen. */
  public static void until(String what, Callable<Boolean> condition) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    try {
      while (!condition.call()) {
        if (System.nanoTime() - deadline > 0) {
          throw new AssertionError("did not happen within " + LIMIT + ": " + what);
        }
        Thread.sleep(1);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(what, e);
    }
  }

  /** Returns once {@code thread} is parked, or waits otherwise in Java. */
  public static void parked(Thread thread) {
    until(
        thread + " waits",
        () ->
            thread.getState() == Thread.State.WAITING
                || thread.getState() == Thread.State.TIMED_WAITING);
  }

  /**
   * Returns once the platform thread of this name, of which 15 characters count, is inside
   * epoll_wait.
   */
  public static void asleepInKernel(String name) {
    until(name + " sleeps in epoll_wait", () -> isInEpollWait(name));
  }

  /** The kernel's id of the platform thread of this name, of which 15 characters count. */
  public static int tid(String name) {
    until(name + " has started", () -> task(name).isPresent());
    return Integer.parseInt(task(name).orElseThrow().getFileName().toString());
  }

  private static boolean isInEpollWait(String name) {
    Optional<Path> task = task(name);
    return task.isPresent()
        && EPOLL_WAITS.contains(read(task.get(), "syscall").split(" ", 2)[0].trim());
  }

  private static Optional<Path> task(String name) {
    String comm = name.length() > 15 ? name.substring(0, 15) : name;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks.filter(task -> read(task, "comm").trim().equals(comm)).findFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path task, String file) {
    try {
      return Files.readString(task.resolve(file));
    } catch (IOException threadHasEnded) {
      return "";
    }
  }
}
