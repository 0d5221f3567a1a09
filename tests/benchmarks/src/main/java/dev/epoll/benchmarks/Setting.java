package dev.epoll.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;

/** On what, when and how carefully something was measured. */
record Setting(
    String date,
    String commit,
    String cpu,
    int cores,
    String kernel,
    String java,
    String backend,
    String effort) {

  static Setting here(String commit, String backend, Effort effort) {
    return new Setting(
        LocalDate.now(ZoneOffset.UTC).toString(),
        commit,
        cpuModel(),
        countCores(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
        backend,
        effort.toString());
  }

  /** Of these sources, and whether they are as committed. */
  static String currentCommit() {
    try {
      return Command.run(List.of("git", "describe", "--always", "--dirty")).get(0);
    } catch (BenchmarkFailure e) {
      return "unknown commit";
    }
  }

  private static String cpuModel() {
    return lines("/proc/cpuinfo", "model name").findFirst().orElse(System.getProperty("os.arch"));
  }

  private static int countCores() {
    return (int) lines("/proc/cpuinfo", "processor").count();
  }

  private static Stream<String> lines(String file, String key) {
    try {
      return Files.readAllLines(Path.of(file)).stream()
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip());
    } catch (IOException e) {
      throw new BenchmarkFailure(file + " can't be read", e);
    }
  }

  @Override
  public String toString() {
    return "%s, %s, %d cores, %s, %s, %s backend, %s, %s"
        .formatted(commit, cpu, cores, kernel, java, backend, effort, date);
  }
}
