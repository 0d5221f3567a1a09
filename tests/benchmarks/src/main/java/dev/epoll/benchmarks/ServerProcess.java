package dev.epoll.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  // A server may open a few for itself: a timer, a jar, the socket that jcmd talks to.
  private static final int SLACK = 16;
  private static final long CLOSING_NANOS = 30_000_000_000L;

  private final Peer peer;
  private final Process process;
  private final Thread killAtExit;
  private final int port;

  private ServerProcess(Peer peer, Process process) {
    this.peer = peer;
    this.process = process;
    this.killAtExit = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(killAtExit);
    this.port = awaitPort();
  }

  /** Starts {@code peer}, and waits until it listens. */
  static ServerProcess start(Machine machine, Peer peer) {
    List<String> command = new ArrayList<>(machine.pinToServerCore());
    command.addAll(peer.command());
    try {
      return new ServerProcess(
          peer,
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    } catch (IOException e) {
      throw new BenchmarkFailure(peer.name() + " can't be started: " + e.getMessage(), e);
    }
  }

  private int awaitPort() {
    try {
      // Not closed: the server may print more, and must not get a SIGPIPE.
      BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        Matcher listening = LISTENING.matcher(line);
        if (listening.find()) {
          return Integer.parseInt(listening.group(1));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new BenchmarkFailure(peer.name() + " ended before it listened");
  }

  /** The peer's. */
  String name() {
    return peer.name();
  }

  int port() {
    return port;
  }

  long pid() {
    return process.pid();
  }

  /** The CPU time that all its threads have used, in user space and in the kernel. */
  long cpuNanos() {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]))
          * Machine.NANOS_PER_TICK;
    } catch (IOException e) {
      throw new BenchmarkFailure(peer.name() + " has ended", e);
    }
  }

  /** How many descriptors it has open. */
  int descriptors() {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid() + "/fd"))) {
      return (int) all.count();
    } catch (IOException e) {
      throw new BenchmarkFailure(peer.name() + " has ended", e);
    }
  }

  /** Waits until it has no more than {@code count}, for it closes a connection after its client. */
  void awaitDescriptors(int count) {
    long start = System.nanoTime();
    while (descriptors() > count + SLACK) {
      if (System.nanoTime() - start > CLOSING_NANOS) {
        throw new BenchmarkFailure(
            "%s has %d descriptors open, and should have %d"
                .formatted(peer.name(), descriptors(), count));
      }
      LockSupport.parkNanos(10_000_000);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    Runtime.getRuntime().removeShutdownHook(killAtExit);
  }
}
