package dev.epoll.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * A parser with input that Jazzer makes from what the parser did with the input before. Not among
 * the tests of a build, for it does not end by itself, and takes one parser in a JVM:
 *
 * <pre>
 *   JAZZER_FUZZ=1 mvn verify -Dlane=jdk25-ffm -Dtest=GuidedFuzz -Dfuzz.parser=HTTP \
 *       -Djazzer.instrument='dev.epoll.**' -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
class GuidedFuzz {
  private static final Parser PARSER = Parser.valueOf(System.getProperty("fuzz.parser", "HTTP"));

  @FuzzTest(maxDuration = "1m")
  void wrongInputIsToldApartAndHarmsNothing(byte[] input) {
    PARSER.take(input);
  }
}
