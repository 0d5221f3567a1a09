package dev.epoll.fuzz;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.epoll.testing.RandomRun;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every parser with input that was cut, changed, and given lengths that lie. */
@Timeout(
    value = 300,
    unit = TimeUnit.SECONDS,
    threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // for an endless loop
class ParsersTest {
  private static final int RUNS = 50;
  private static final int INPUTS_PER_RUN = 200;
  private static final long MOST_ALLOCATED = 4 << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final List<String> LYING =
      List.of("-1", "0", "00", "+1", "2147483647", "-2147483648", "9223372036854775808", "1e9");

  @ParameterizedTest
  @EnumSource
  void wrongInputIsToldApartAndHarmsNothing(Parser parser) throws IOException {
    List<byte[]> examples = parser.examples();
    for (byte[] example : examples) {
      for (int length = 0; length <= example.length; length++) {
        parser.take(Arrays.copyOf(example, length));
      }
    }
    RandomRun.repeat(
        RUNS,
        run -> {
          for (int i = 0; i < INPUTS_PER_RUN; i++) {
            byte[] input = run.oneOf(examples);
            for (int changes = run.below(6); changes >= 0; changes--) {
              input = changed(run, input, examples);
            }
            run.step(HexFormat.of().formatHex(input));
            long before = THREADS.getCurrentThreadAllocatedBytes();
            parser.take(input);
            long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < MOST_ALLOCATED, () -> "allocated " + allocated + " bytes");
          }
        });
  }

  private static byte[] changed(RandomRun run, byte[] input, List<byte[]> examples) {
    int at = run.below(input.length + 1);
    byte[] head = Arrays.copyOf(input, at);
    byte[] tail = Arrays.copyOfRange(input, at, input.length);
    return switch (run.below(7)) {
      case 0 -> head;
      case 1 -> joined(head, tail, tail);
      case 2 -> joined(head, run.oneOf(examples), tail);
      case 3 -> joined(head, run.oneOf(LYING).getBytes(US_ASCII), tail);
      case 4 -> over(input, at, lyingNumber(run));
      case 5 -> over(input, at, new byte[] {(byte) run.below(256)});
      default -> joined(head, new byte[] {(byte) run.below(256)}, tail);
    };
  }

  /** A number near one that is a limit of something, in as many bytes as a struct may have it. */
  private static byte[] lyingNumber(RandomRun run) {
    long limit = run.oneOf(List.of(0L, 16L, 1L << 16, 1L << 31, 1L << 32, Long.MIN_VALUE));
    long number = limit + run.below(64) - 32;
    int size = run.oneOf(List.of(2, 4, 8));
    return Arrays.copyOf(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array(), size);
  }

  private static byte[] over(byte[] input, int at, byte[] bytes) {
    byte[] result = input.clone();
    int count = Math.min(bytes.length, result.length - at);
    System.arraycopy(bytes, 0, result, at, count);
    return result;
  }

  private static byte[] joined(byte[]... parts) {
    int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteBuffer joined = ByteBuffer.allocate(Math.min(length, 1 << 16));
    for (byte[] part : parts) {
      joined.put(part, 0, Math.min(part.length, joined.remaining()));
    }
    return joined.array();
  }
}
