package dev.epoll.fd;

import static dev.epoll.fd.InotifyMask.CREATE;
import static dev.epoll.fd.InotifyMask.DELETE;
import static dev.epoll.fd.InotifyMask.IS_DIRECTORY;
import static dev.epoll.fd.InotifyMask.MASK_ADD;
import static dev.epoll.fd.InotifyMask.MASK_CREATE;
import static dev.epoll.fd.InotifyMask.ONESHOT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class InotifyMaskTest {
  @Test
  void isASetOfBits() {
    InotifyMask both = CREATE.or(DELETE);
    assertTrue(both.contains(CREATE) && both.contains(both) && both.intersects(DELETE));
    assertFalse(CREATE.contains(both) || CREATE.intersects(DELETE));
    assertTrue(InotifyMask.ALL_EVENTS.contains(both.or(InotifyMask.MOVE).or(InotifyMask.CLOSE)));
    assertEquals(both, InotifyMask.of(both.bits()));
    assertEquals(both.hashCode(), InotifyMask.of(both.bits()).hashCode());
    assertFalse(both.equals(CREATE));
  }

  @Test
  void namesItsBits() {
    assertEquals("CREATE|IS_DIRECTORY", IS_DIRECTORY.or(CREATE).toString());
    assertEquals("NONE", InotifyMask.of(0).toString());
    assertEquals("DELETE|ONESHOT|0x1000", InotifyMask.of(0x80001200).toString());
  }

  @Test
  void refusesWhatCannotBeWatchedFor() {
    for (InotifyMask mask :
        new InotifyMask[] {
          InotifyMask.of(0),
          ONESHOT,
          CREATE.or(InotifyMask.OVERFLOW),
          CREATE.or(IS_DIRECTORY),
          CREATE.or(MASK_ADD).or(MASK_CREATE)
        }) {
      String message =
          assertThrows(IllegalArgumentException.class, mask::checkCanBeWatchedFor).getMessage();
      assertTrue(message.startsWith("cannot watch for " + mask + ": "), message);
    }
    CREATE.or(MASK_ADD).or(ONESHOT).checkCanBeWatchedFor();
  }
}
