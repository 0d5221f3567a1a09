package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.openjdk.jcstress.JCStress;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * What the real processor and the JIT compiler make of each place where threads hand something over
 * without a lock: jcstress runs the tests of this package, each in a JVM of its own, and fails
 * where an outcome is seen that the test forbids. The report, with how often each outcome was seen,
 * is {@code target/jcstress/index.html}.
 *
 * <p>All have two actors, because jcstress passes over those with more on a machine with two cores.
 */
class StressTest {
  private static final String ONE_JVM =
      "-XX:+UseSerialGC -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED"
          + " --sun-misc-unsafe-memory-access=allow";

  /** Left to the long form: {@link ModelTest} asks the same of these in its own way. */
  private static final Pattern MODELLED =
      Pattern.compile("TokenTableStress|OutcomeStress\\.(?!BeginAndCancel)");

  @Test
  void noOutcomeIsSeenThatATestForbids() throws Exception {
    Path report = Files.createDirectories(Path.of("jcstress"));
    Instant start = Instant.now();
    List<String> arguments = new ArrayList<>(List.of("-r", report.toString(), "-hs", "256"));
    List<String> tests = TestList.tests().stream().sorted().toList();
    if (!"long".equals(System.getProperty("concurrency"))) {
      tests = tests.stream().filter(it -> !MODELLED.matcher(it).find()).toList();
      // One JVM per test, as it comes: neither all the ways to compile it nor all to place threads.
      // Long enough for what it runs to be compiled: what is interpreted comes in order.
      arguments.addAll(List.of("-f", "1", "-fsm", "1", "-iters", "1", "-time", "1000"));
      arguments.addAll(List.of("-c", "2", "-sc", "false", "-af", "NONE", "-jvmArgs", ONE_JVM));
    } else {
      arguments.addAll(List.of("-m", "quick"));
    }
    arguments.addAll(List.of("-t", "^(" + String.join("|", tests) + ")$"));
    Options options = new Options(arguments.toArray(String[]::new));
    if (!options.parse()) {
      throw new AssertionError("jcstress does not know one of " + arguments);
    }
    new JCStress(options).run();
    for (String test : tests) {
      Path told = report.resolve(test + ".html");
      assertTrue(Files.exists(told), () -> "there is no report of " + test);
      assertFalse(
          Files.getLastModifiedTime(told).toInstant().isBefore(start),
          () -> "this is the report of an earlier run: " + told);
    }
  }
}
