package dev.epoll.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * Waiting for a state, never for a time. The limit is only there so that a test which has failed
 * ends.
 */
public final class Eventually {
  private static final Duration LIMIT = Duration.ofSeconds(30);

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
   * Returns once the platform thread called {@code name} sleeps in a system call (at most 15
   * characters count).
   */
  public static void asleepInKernel(String name) {
    until(name + " sleeps in the kernel", () -> taskState(name) == 'S');
  }

  /** The kernel's id of the platform thread called {@code name}. */
  public static int tid(String name) {
    return Integer.parseInt(task(name).getFileName().toString());
  }

  private static char taskState(String name) throws IOException {
    String stat = Files.readString(task(name).resolve("stat"));
    return stat.charAt(stat.lastIndexOf(')') + 2);
  }

  private static Path task(String name) {
    String comm = name.length() > 15 ? name.substring(0, 15) : name;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks
          .filter(
              task -> {
                try {
                  return Files.readString(task.resolve("comm")).trim().equals(comm);
                } catch (IOException e) {
                  return false; // the thread has ended
                }
              })
          .findFirst()
          .orElseThrow(() -> new AssertionError("no thread called " + name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
