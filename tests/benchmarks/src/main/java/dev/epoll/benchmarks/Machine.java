package dev.epoll.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the benchmarks run on: servers on one core, the client (this process) on another. Cores have
 * the numbers that taskset gives them, or -1 if there is only one, which all share.
 */
record Machine(int clientCore, int serverCore) {
  /** The unit of times in /proc: USER_HZ is 100 on every CPU that this library supports. */
  static final long NANOS_PER_TICK = 10_000_000;

  // Fields of a line of /proc/stat (proc_stat(5))
  private static final int IDLE = 4;
  private static final int IOWAIT = 5;

  // The soft limit: a JVM raises it to the hard one.
  private static final Pattern DESCRIPTORS = Pattern.compile("^Max open files +(\\d+)");

  /** What is put before a command so that it runs on the servers' core. */
  List<String> pinToServerCore() {
    return pin(Integer.toString(serverCore));
  }

  /** The same for a command that is to run on both. */
  List<String> pinToBothCores() {
    return pin(clientCore + "," + serverCore);
  }

  /** For how long {@code core} has been idle. */
  static long idleNanos(int core) {
    try {
      String prefix = "cpu" + core + " ";
      for (String line : Files.readAllLines(Path.of("/proc/stat"))) {
        if (line.startsWith(prefix)) {
          String[] fields = line.split(" ", -1);
          return (Long.parseLong(fields[IDLE]) + Long.parseLong(fields[IOWAIT])) * NANOS_PER_TICK;
        }
      }
      return 0;
    } catch (IOException e) {
      throw new BenchmarkFailure("/proc/stat can't be read", e);
    }
  }

  /** Fails where a process may not have {@code count} descriptors. */
  static void requireDescriptors(int count) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
        Matcher limit = DESCRIPTORS.matcher(line);
        if (limit.find() && Integer.parseInt(limit.group(1)) < count) {
          throw new BenchmarkFailure(
              "a process may open %s files here, and %d are needed: see ulimit -Hn"
                  .formatted(limit.group(1), count));
        }
      }
    } catch (IOException e) {
      throw new BenchmarkFailure("/proc/self/limits can't be read", e);
    }
  }

  private List<String> pin(String cores) {
    return serverCore < 0 ? List.of() : List.of("taskset", "-c", cores);
  }
}
