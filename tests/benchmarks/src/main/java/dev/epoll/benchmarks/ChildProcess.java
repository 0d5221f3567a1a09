package dev.epoll.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A command that runs to its end while we wait. */
final class ChildProcess {
  private ChildProcess() {}

  /** Runs {@code command}; returns what it wrote, line by line. */
  static List<String> run(List<String> command) {
    return run(command, line -> {});
  }

  /** The same, and gives {@code progress} each line when it comes. */
  static List<String> run(List<String> command, Consumer<String> progress) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      Thread kill = new Thread(process::destroyForcibly);
      Runtime.getRuntime().addShutdownHook(kill);
      List<String> lines = new ArrayList<>();
      try (var out = process.inputReader(StandardCharsets.UTF_8)) {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
          lines.add(line);
          progress.accept(line);
        }
      }
      int status = process.waitFor();
      Runtime.getRuntime().removeShutdownHook(kill);
      if (status != 0) {
        throw new BenchmarkFailure(
            "status %d of %s%n%s"
                .formatted(status, String.join(" ", command), String.join("\n", lines)));
      }
      return lines;
    } catch (IOException e) {
      throw new BenchmarkFailure(command.get(0) + " can't be run: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      throw new BenchmarkFailure("interrupted", e);
    }
  }
}
