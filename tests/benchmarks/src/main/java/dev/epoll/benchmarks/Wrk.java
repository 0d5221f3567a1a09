package dev.epoll.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The load client of HTTP servers: wrk, on the client's core, where this process sleeps. */
final class Wrk {
  private static final Pattern REQUESTS = Pattern.compile("(\\d+) requests in");
  private static final Pattern RATE = Pattern.compile("Requests/sec: +([0-9.]+)");
  private static final Pattern WRONG = Pattern.compile("Non-2xx|Socket errors");

  private static final Path PIPELINE = Path.of("tests/benchmarks/src/main/wrk/pipeline.lua");

  private Wrk() {}

  /**
   * Asks for {@code url} again and again, for a second, the least that wrk does. On each connection
   * {@code pipelined} requests are under way.
   */
  static Result run(String url, int connections, int pipelined) {
    List<String> command = new ArrayList<>(List.of("wrk", "-t1", "-c" + connections, "-d1s"));
    if (pipelined > 1) {
      command.addAll(List.of("-s", PIPELINE.toString(), url, "--", "" + pipelined));
    } else {
      command.add(url);
    }
    String said = String.join("\n", Command.run(command));
    Matcher requests = REQUESTS.matcher(said);
    Matcher rate = RATE.matcher(said);
    if (WRONG.matcher(said).find() || !requests.find() || !rate.find()) {
      throw new BenchmarkFailure("wrk did not get what it asked " + url + " for:\n" + said);
    }
    return new Result(Long.parseLong(requests.group(1)), Double.parseDouble(rate.group(1)));
  }

  /** What was answered. */
  record Result(long requests, double perSecond) {}
}
