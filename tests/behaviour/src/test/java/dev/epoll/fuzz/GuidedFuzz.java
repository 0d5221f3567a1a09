package dev.epoll.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * A parser with input that Jazzer makes from what the parser did with the input before. Not among
 * the tests of a build, for it takes a minute for each parser, in a JVM of its own: {@code
 * ./tests/fuzz} runs it.
 */
class GuidedFuzz {
  private static final Parser PARSER = Parser.valueOf(System.getProperty("fuzz.parser", "HTTP"));

  @FuzzTest(maxDuration = "1m")
  void wrongInputIsToldApartAndHarmsNothing(byte[] input) {
    PARSER.take(input);
  }
}
