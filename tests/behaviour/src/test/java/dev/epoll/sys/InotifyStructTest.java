package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InotifyStructTest {
  private static ByteBuffer struct(int nameLength, String name) {
    return ByteBuffer.allocate(64)
        .order(ByteOrder.nativeOrder())
        .putInt(7)
        .putInt(Linux.IN_CREATE | Linux.IN_ISDIR)
        .putInt(-2)
        .putInt(nameLength)
        .put(name.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static void assertName(String expected, ByteBuffer struct) {
    assertArrayEquals(expected.getBytes(StandardCharsets.ISO_8859_1), InotifyStruct.name(struct));
  }

  @Test
  void readsEachFieldAndTheNameWithoutItsZeros() {
    ByteBuffer struct = struct(16, "name\0\0");
    assertTrue(InotifyStruct.isWhole(struct, 32));
    assertEquals(7, InotifyStruct.watch(struct));
    assertEquals(Linux.IN_CREATE | Linux.IN_ISDIR, InotifyStruct.mask(struct));
    assertEquals(-2, InotifyStruct.cookie(struct));
    assertName("name", struct);
  }

  @Test
  void aNameMayBeMissingOrFillItsFieldOrBeNoText() {
    assertTrue(InotifyStruct.isWhole(struct(0, ""), 16));
    assertName("", struct(0, "left by the one before"));
    assertName("exactly 16 bytes", struct(16, "exactly 16 bytes, and more"));
    assertName("\u00ff\u0080", struct(16, "\u00ff\u0080"));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 15, -11})
  void lessThanAHeaderIsNoEvent(long bytes) {
    assertFalse(InotifyStruct.isWhole(struct(0, ""), bytes));
  }

  @ParameterizedTest
  @CsvSource({
    "32, 16",
    "16, 48",
    "0, 32",
    "-1, 16",
    "-16, 16",
    "-2147483648, 32",
    "2147483647, 64"
  })
  void aNameLengthOtherThanWhatIsThereIsNoEvent(int nameLength, long bytes) {
    assertFalse(InotifyStruct.isWhole(struct(nameLength, "name"), bytes));
  }
}
