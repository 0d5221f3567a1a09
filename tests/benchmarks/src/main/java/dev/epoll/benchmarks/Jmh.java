package dev.epoll.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Runs JMH on the cores that servers and client have, and reads what it found. */
final class Jmh {
  private static final JsonMapper JSON = new JsonMapper();

  private Jmh() {}

  /**
   * Runs those of {@code dev.epoll.benchmarks.calls} whose class is in {@code classes}, a regular
   * expression.
   *
   * @param effort JMH's own options for how long: {@code -f}, {@code -wi}, {@code -i} and so on
   */
  static Map<String, Result> run(Lab lab, String classes, List<String> effort) {
    try {
      Path results = Files.createTempFile("jmh", ".json");
      try {
        List<String> command = new ArrayList<>(lab.machine().pinToBothCores());
        command.addAll(lab.peers().java("org.openjdk.jmh.Main"));
        command.add("dev\\.epoll\\.benchmarks\\.calls\\.(" + classes + ")\\.");
        command.addAll(
            List.of("-bm", "avgt", "-tu", "ns", "-prof", "gc", "-foe", "true", "-to", "30s"));
        command.addAll(List.of("-rf", "json", "-rff", results.toString()));
        command.addAll(effort);
        var unused = Command.run(command, Jmh::progress);
        Map<String, Result> all = new LinkedHashMap<>();
        JSON.readTree(results).forEach(node -> all.put(name(node), result(node)));
        return all;
      } finally {
        Files.delete(results);
      }
    } catch (IOException e) {
      throw new BenchmarkFailure("JMH's results can't be read", e);
    }
  }

  private static void progress(String line) {
    if (line.startsWith("# Benchmark: ") || line.startsWith("# Run progress: ")) {
      Progress.say(line.substring("# ".length()));
    }
  }

  private static String name(JsonNode node) {
    String method = node.get("benchmark").asString();
    String name = method.substring(method.lastIndexOf('.') + 1);
    JsonNode backend = node.path("params").path("backend");
    return backend.isMissingNode() ? name : name + ", " + backend.asString();
  }

  private static Result result(JsonNode node) {
    return new Result(
        spread(node.get("primaryMetric")),
        spread(node.get("secondaryMetrics").get("gc.alloc.rate.norm")));
  }

  private static Spread spread(JsonNode metric) {
    return Spread.of(
        StreamSupport.stream(metric.get("rawData").spliterator(), false)
            .flatMapToDouble(
                fork ->
                    StreamSupport.stream(fork.spliterator(), false)
                        .mapToDouble(JsonNode::asDouble)));
  }

  /** What one call takes and allocates. */
  record Result(Spread nanos, Spread bytes) {}
}
