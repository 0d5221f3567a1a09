package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/reliability.md names tests that there are. */
class ReliabilityDocTest {
  private static final Pattern BUG = Pattern.compile("\\| (\\d+) \\| .* \\| (`.*`) \\|");
  private static final Pattern NAMED = Pattern.compile("\\b([A-Z]\\w*Test)\\b(?:\\.(\\w+))?");
  private static final List<String> PACKAGES =
      List.of(
          "dev.epoll.",
          "dev.epoll.coroutines.",
          "dev.epoll.examples.",
          "dev.epoll.fd.",
          "dev.epoll.fuzz.",
          "dev.epoll.net.",
          "dev.epoll.soak.",
          "dev.epoll.sys.");

  private static String document() throws Exception {
    return Files.readString(Path.of("../../docs/reliability.md"));
  }

  @Test
  void everyBugHasATest() throws Exception {
    List<Integer> bugs =
        document()
            .lines()
            .map(BUG::matcher)
            .filter(Matcher::matches)
            .map(row -> Integer.valueOf(row.group(1)))
            .toList();
    assertEquals(IntStream.rangeClosed(1, 38).boxed().toList(), bugs);
  }

  @Test
  void everyTestThatIsNamedIsThere() throws Exception {
    Matcher named = NAMED.matcher(document());
    while (named.find()) {
      String method = named.group(2);
      assertTrue(
          methods(named.group(1)).anyMatch(it -> method == null || method.equals(it)),
          () -> "there is no " + named.group());
    }
  }

  private static Stream<String> methods(String testClass) {
    return PACKAGES.stream()
        .flatMap(
            it -> {
              try {
                return Arrays.stream(Class.forName(it + testClass).getDeclaredMethods());
              } catch (ClassNotFoundException elsewhere) {
                return Stream.empty();
              }
            })
        .map(Method::getName);
  }
}
