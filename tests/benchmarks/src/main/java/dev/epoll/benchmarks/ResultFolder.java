package dev.epoll.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where results are kept: a JSON file for each bench, plots, and in README.md a table of all
 * targets, made from the JSON files. So a bench that runs alone changes its own rows only.
 */
final class ResultFolder {
  private static final String BEGIN = "<!-- targets: written by ./tests/benchmarks/run -->";
  private static final String END = "<!-- end of targets -->";
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Path folder;

  ResultFolder(Path folder) {
    this.folder = folder;
  }

  /** What a JSON file holds. */
  private record Result(Setting setting, List<Target> targets, Object figures) {}

  /** Keeps what {@code bench} found. */
  void keep(String bench, Setting setting, Findings findings) {
    try {
      Files.createDirectories(folder);
      Result result = new Result(setting, findings.targets(), findings.figures());
      write(file(bench), JSON.writeValueAsString(result) + "\n");
      for (Plot plot : findings.plots()) {
        draw(plot);
      }
    } catch (IOException e) {
      throw new BenchmarkFailure("results can't be written to " + folder, e);
    }
  }

  private void draw(Plot plot) throws IOException {
    String svg;
    try {
      svg = plot.svg();
    } catch (LinkageError | InternalError | RuntimeException e) {
      // A JDK without the libraries that measure letters, such as a container's.
      System.err.println(plot.file() + " is left out, as Java can't draw here: " + e);
      return;
    }
    write(folder.resolve(plot.file()), svg + "\n");
  }

  /** All or nothing, whoever stops this when. */
  private static void write(Path file, String text) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
    Files.writeString(unfinished, text);
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private Path file(String bench) {
    return folder.resolve(bench + ".json");
  }

  /** Writes the table of the targets of {@code benches}, as far as there are results of them. */
  void tabulate(Iterable<String> benches) {
    List<String> rows = new ArrayList<>();
    Map<String, List<String>> settings = new LinkedHashMap<>();
    for (String bench : benches) {
      if (Files.exists(file(bench))) {
        Result result = read(file(bench));
        result.targets().forEach(it -> rows.add(row(it)));
        settings.computeIfAbsent(result.setting().toString(), key -> new ArrayList<>()).add(bench);
      }
    }
    List<String> table = new ArrayList<>();
    table.add("| what | target | measured: median [min..max] | |");
    table.add("|---|---|---|---|");
    table.addAll(rows);
    table.add("");
    settings.forEach(
        (setting, those) -> table.add("- %s: %s".formatted(String.join(", ", those), setting)));
    putIntoReadme(String.join("\n", table));
  }

  private static Result read(Path file) {
    try {
      return JSON.readValue(file, Result.class);
    } catch (JacksonException e) {
      throw new BenchmarkFailure(
          file + " is none of this version's results: delete it, and run its benchmark again", e);
    }
  }

  private static String row(Target target) {
    return "| %s | %s | %s | %s |"
        .formatted(target.what(), target.promise(), target.figure(), target.verdict());
  }

  private void putIntoReadme(String table) {
    Path readme = folder.resolve("README.md");
    try {
      String text = Files.exists(readme) ? Files.readString(readme) : BEGIN + "\n" + END + "\n";
      int begin = text.indexOf(BEGIN);
      int end = text.indexOf(END);
      if (begin < 0 || end < begin) {
        throw new BenchmarkFailure(readme + " lacks the lines between which the table goes");
      }
      write(
          readme, text.substring(0, begin) + BEGIN + "\n\n" + table + "\n\n" + text.substring(end));
    } catch (IOException e) {
      throw new BenchmarkFailure(readme + " can't be written", e);
    }
  }
}
