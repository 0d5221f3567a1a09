package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** What a real terminal cannot be brought to; the rest is in dev.epoll.fd.TerminalSettingsTest. */
class TermiosTest {
  private static final int CONTROL = 8;
  private static final int BOTHER = 0x1000;

  private static Termios withControl(int control) {
    return Termios.get(
        ByteBuffer.allocate(64).order(ByteOrder.nativeOrder()).putInt(CONTROL, control));
  }

  @Test
  void aSpeedWithoutACodeIsZero() {
    assertEquals(0, withControl(BOTHER).speed());
    assertEquals(0, withControl(0).speed());
    assertEquals(38400, withControl(0xf).speed());
    assertEquals(57600, withControl(BOTHER | 1).speed());
    assertEquals(4000000, withControl(BOTHER | 0xf).speed());
  }

  /** A pseudo-terminal always has 8 bits, no parity, and a receiver. */
  @Test
  void rawBytesHaveEightBitsAndALineReceives() {
    int cs7 = 040;
    int cs8 = 060;
    int cread = 0200;
    int parenb = 0400;
    int clocal = 04000;
    ByteBuffer struct = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    withControl(cs7 | parenb).raw().put(struct);
    assertEquals(cs8, struct.getInt(CONTROL));
    withControl(cs7 | parenb).raw().atSpeed(50).put(struct);
    assertEquals(1 | cs8 | cread | clocal, struct.getInt(CONTROL));
  }

  @Test
  void theInputSpeedFollowsTheOutputSpeed() {
    ByteBuffer struct = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    withControl(BOTHER << 16).atSpeed(9600).put(struct);
    assertEquals(0, struct.getInt(CONTROL) >>> 16);
    assertEquals(9600, Termios.get(struct).speed());
  }

  @Test
  void changesMakeNewSettings() {
    Termios settings = withControl(0xf);
    settings.atSpeed(9600);
    assertEquals(38400, settings.speed());
    assertThrows(IllegalArgumentException.class, () -> settings.atSpeed(0));
  }
}
