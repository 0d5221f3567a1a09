package dev.epoll.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The load client of HTTP servers: wrk, on the client's core, where this process sleeps. */
final class Wrk {
  private static final Pattern RATE = Pattern.compile("Requests/sec: +([0-9.]+)");
  private static final Pattern WRONG = Pattern.compile("Non-2xx|Socket errors");

  private Wrk() {}

  /** Whether it is installed. */
  static boolean isThere() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "wrk")));
  }

  /** Requests per second of {@code url}, measured for a second, the least that wrk does. */
  static double rate(String url, int connections) {
    String said =
        String.join("\n", ChildProcess.run(List.of("wrk", "-t1", "-c" + connections, "-d1s", url)));
    Matcher rate = RATE.matcher(said);
    if (WRONG.matcher(said).find() || !rate.find()) {
      throw new BenchmarkFailure("wrk did not get what it asked " + url + " for:\n" + said);
    }
    return Double.parseDouble(rate.group(1));
  }
}
