package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventMaskTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;

  /** The numbers of include/uapi/linux/eventpoll.h. */
  @ParameterizedTest
  @CsvSource({
    "IN, 0x00000001",
    "PRI, 0x00000002",
    "OUT, 0x00000004",
    "ERR, 0x00000008",
    "HUP, 0x00000010",
    "RDNORM, 0x00000040",
    "RDBAND, 0x00000080",
    "WRNORM, 0x00000100",
    "WRBAND, 0x00000200",
    "MSG, 0x00000400",
    "RDHUP, 0x00002000",
    "EXCLUSIVE, 0x10000000",
    "WAKEUP, 0x20000000",
    "ONESHOT, 0x40000000",
    "EDGE_TRIGGERED, 0x80000000"
  })
  void everyFlagHasItsBitAndPrintsItsName(String name, String bits) throws Exception {
    EventMask mask = (EventMask) EventMask.class.getField(name).get(null);
    assertEquals(Integer.parseUnsignedInt(bits.substring(2), 16), mask.bits());
    assertEquals(name, mask.toString());
    assertEquals(mask, EventMask.of(mask.bits()));
  }

  @Test
  void combines() {
    EventMask both = IN.or(OUT);
    assertEquals(5, both.bits());
    assertEquals(IN, both.without(OUT));
    assertEquals(OUT, both.and(OUT.or(EventMask.PRI)));
    assertTrue(both.contains(IN));
    assertTrue(both.contains(EventMask.NONE));
    assertFalse(IN.contains(both));
    assertSame(EventMask.NONE, IN.and(OUT));
  }

  @Test
  void printsCombinationsAndBitsWithoutName() {
    assertEquals("NONE", EventMask.NONE.toString());
    assertEquals("IN|RDHUP|ONESHOT", EventMask.ONESHOT.or(IN).or(EventMask.RDHUP).toString());
    assertEquals("OUT|0x820", EventMask.of(0x824).toString());
  }

  @Test
  void isEqualByItsBits() {
    assertEquals(IN.or(OUT), OUT.or(IN));
    assertEquals(IN.or(OUT).hashCode(), OUT.or(IN).hashCode());
    assertNotEquals(IN, OUT);
    assertNotEquals(IN, (Object) 1);
  }

  @Test
  @Conformance(22)
  void anyBitsAreAMask() {
    for (int i = 0; i < Integer.SIZE; i++) {
      assertEquals(1 << i, EventMask.of(1 << i).bits());
      assertEquals(~(1 << i), EventMask.of(~(1 << i)).bits());
    }
  }

  @Test
  void refusesNull() {
    assertThrows(NullPointerException.class, () -> IN.or(null));
    assertThrows(NullPointerException.class, () -> IN.and(null));
    assertThrows(NullPointerException.class, () -> IN.without(null));
    assertThrows(NullPointerException.class, () -> IN.contains(null));
  }
}
