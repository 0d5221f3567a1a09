package dev.epoll.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A running {@link Peer}, on the core that servers have. */
final class ServerProcess implements AutoCloseable {
  private static final Pattern LISTENING = Pattern.compile("listening on (?:.*:)?(\\d+)");
  // Fields 14 and 15 of /proc/PID/stat, counted from the one behind the name, which may hold
  // blanks.
  private static final int UTIME = 11;
  private static final int STIME = 12;

  private static final Duration STARTING = Duration.ofMinutes(1);

  // A server may open a few for itself: a timer, a jar, the socket that jcmd talks to.
  private static final int SLACK = 16;
  private static final long CLOSING_NANOS = 30_000_000_000L;

  private final String name;
  private final ChildProcess child;
  private final int port;

  private ServerProcess(String name, ChildProcess child, int port) {
    this.name = name;
    this.child = child;
    this.port = port;
  }

  /** Starts {@code peer}, and waits until it listens. */
  static ServerProcess start(Machine machine, Peer peer) {
    List<String> command = new ArrayList<>(machine.pinToServerCore());
    command.addAll(peer.command());
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    ChildProcess child = ChildProcess.start(peer.name(), builder);
    try {
      OptionalInt port = child.within(STARTING, ServerProcess::readPort);
      return new ServerProcess(
          peer.name(),
          child,
          port.orElseThrow(() -> new BenchmarkFailure(peer.name() + " ended before it listened")));
    } catch (Throwable e) {
      child.close();
      throw e;
    }
  }

  /** Empty if the process ends instead. */
  private static OptionalInt readPort(Process process) {
    try {
      // Not closed: the server may print more, and must not get a SIGPIPE.
      BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        Matcher listening = LISTENING.matcher(line);
        if (listening.find()) {
          return OptionalInt.of(Integer.parseInt(listening.group(1)));
        }
      }
      return OptionalInt.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The peer's. */
  String name() {
    return name;
  }

  int port() {
    return port;
  }

  long pid() {
    return child.process().pid();
  }

  /** The CPU time that all its threads have used, in user space and in the kernel. */
  long cpuNanos() {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]))
          * Machine.NANOS_PER_TICK;
    } catch (IOException e) {
      throw new BenchmarkFailure(name + " has ended", e);
    }
  }

  /** How many descriptors it has open. */
  int descriptors() {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid() + "/fd"))) {
      return (int) all.count();
    } catch (IOException e) {
      throw new BenchmarkFailure(name + " has ended", e);
    }
  }

  /** Waits until it has no more than {@code count}, for it closes a connection after its client. */
  void awaitDescriptors(int count) {
    long start = System.nanoTime();
    while (descriptors() > count + SLACK) {
      if (System.nanoTime() - start > CLOSING_NANOS) {
        throw new BenchmarkFailure(
            "%s has %d descriptors open, and should have %d".formatted(name, descriptors(), count));
      }
      LockSupport.parkNanos(10_000_000);
    }
  }

  @Override
  public void close() {
    child.close();
  }
}
