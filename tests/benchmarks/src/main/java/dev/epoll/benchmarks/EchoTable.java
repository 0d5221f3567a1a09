package dev.epoll.benchmarks;

import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Prints what a {@link Sitting} measured, as ratios to one of its servers. */
final class EchoTable {
  private EchoTable() {}

  static void print(int connections, String reference, Map<String, List<Measurement>> measured) {
    System.out.printf(
        "%n%d connections, relative to %s%n%-22s %22s %9s %8s %9s %9s %9s %6s%n",
        connections,
        reference,
        "",
        "median [min..max]",
        "msg/s",
        "CPU us",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "empty");
    measured.forEach(
        (name, rounds) -> {
          Spread ratio = ratios(rounds, measured.get(reference));
          System.out.printf(
              "%-22s %22s %9.0f %8.2f %9.0f %9.0f %9.0f %6.2f%n",
              name,
              "%.2f [%.2f..%.2f]".formatted(ratio.median(), ratio.min(), ratio.max()),
              median(rounds, Measurement::messagesPerSecond),
              median(rounds, Measurement::cpuMicrosPerMessage),
              median(rounds, Measurement::p50Micros),
              median(rounds, Measurement::p99Micros),
              median(rounds, Measurement::p999Micros),
              median(rounds, Measurement::emptyPollsPerMessage));
        });
  }

  /** Each round's throughput over the reference's in the same round. */
  static Spread ratios(List<Measurement> rounds, List<Measurement> reference) {
    return Spread.of(
        IntStream.range(0, rounds.size())
            .mapToObj(i -> rounds.get(i).messagesPerSecond() / reference.get(i).messagesPerSecond())
            .toList());
  }

  private static double median(List<Measurement> rounds, ToDoubleFunction<Measurement> figure) {
    return Spread.of(rounds.stream().mapToDouble(figure).boxed().toList()).median();
  }
}
