package dev.epoll.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A command that runs to its end while we wait. */
final class Command {
  /** More than any takes. */
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private Command() {}

  /** Runs {@code command}; returns what it wrote, line by line. */
  static List<String> run(List<String> command) {
    return run(command, line -> {});
  }

  /** The same, and gives {@code progress} each line when it comes. */
  static List<String> run(List<String> command, Consumer<String> progress) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    List<String> lines = new ArrayList<>();
    try (ChildProcess child = ChildProcess.start(command.get(0), builder)) {
      int status = child.within(LIMIT, process -> readToEnd(process, lines, progress));
      if (status != 0) {
        throw new BenchmarkFailure(
            "status %d of %s%n%s"
                .formatted(status, String.join(" ", command), String.join("\n", lines)));
      }
    }
    return lines;
  }

  /** Returns the status. */
  private static int readToEnd(Process process, List<String> lines, Consumer<String> progress) {
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
        progress.accept(line);
      }
      return process.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new BenchmarkFailure("interrupted", e);
    }
  }
}
