package dev.epoll.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A process that ends when this one does, however this one ends.
 *
 * <p>Thread: the one that starts it has to live on, as Linux takes its end for that of the process.
 */
final class ChildProcess implements AutoCloseable {
  private static final ScheduledExecutorService CLOCK =
      Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());
  private static final List<String> DIE_WITH_PARENT = List.of("setpriv", "--pdeathsig", "KILL");
  private static final long ENDING_SECONDS = 30;

  private final String name;
  private final Process process;
  private final Thread killAtExit = new Thread(this::kill);

  private ChildProcess(String name, Process process) {
    this.name = name;
    this.process = process;
    Runtime.getRuntime().addShutdownHook(killAtExit);
  }

  /** Starts {@code builder}'s command, with nothing to read. */
  static ChildProcess start(String name, ProcessBuilder builder) {
    List<String> command = new ArrayList<>(DIE_WITH_PARENT);
    command.addAll(builder.command());
    builder.command(command).redirectInput(Path.of("/dev/null").toFile());
    try {
      return new ChildProcess(name, builder.start());
    } catch (IOException e) {
      throw new BenchmarkFailure(name + " can't be started: " + e.getMessage(), e);
    }
  }

  Process process() {
    return process;
  }

  /**
   * Does {@code work} with the process, which is killed if that takes longer than {@code limit}.
   */
  <T> T within(Duration limit, Function<Process, T> work) {
    ScheduledFuture<?> kill = CLOCK.schedule(this::kill, limit.toMillis(), TimeUnit.MILLISECONDS);
    T result = work.apply(process);
    if (!kill.cancel(false)) {
      throw new BenchmarkFailure("%s took more than %d s".formatted(name, limit.toSeconds()));
    }
    return result;
  }

  private void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Kills it, and returns once it has ended: it would disturb what is measured next. */
  @Override
  public void close() {
    kill();
    try {
      if (!process.waitFor(ENDING_SECONDS, TimeUnit.SECONDS)) {
        throw new BenchmarkFailure(name + " can't be killed");
      }
      Runtime.getRuntime().removeShutdownHook(killAtExit);
    } catch (InterruptedException e) {
      throw new BenchmarkFailure("interrupted", e);
    } catch (IllegalStateException shutdown) {
      // Which kills it again.
    }
  }
}
