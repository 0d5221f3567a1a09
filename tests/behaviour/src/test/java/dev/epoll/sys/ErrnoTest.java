package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ErrnoTest {
  /** What libc says of its errnos. */
  public interface Names {
    String strerror(int errno);

    /** GNU, since glibc 2.32. */
    String strerrorname_np(int errno);
  }

  private static final Names LIBC = LibraryLoader.create(Names.class).load("c");

  @ParameterizedTest
  @EnumSource(Errno.class)
  void theTextIsThatOfLibc(Errno errno) {
    assertEquals(LIBC.strerror(errno.number), Errno.text(errno.number));
  }

  @ParameterizedTest
  @EnumSource(Errno.class)
  void theNameIsThatOfTheNumber(Errno errno) {
    assumeTrue(hasNames(), "libc before glibc 2.32");
    assertEquals(LIBC.strerrorname_np(errno.number), errno.name());
    assertEquals(errno.name(), Errno.name(errno.number));
  }

  private static boolean hasNames() {
    try {
      return LIBC.strerrorname_np(Errno.EPERM.number) != null;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  @Test
  void aNumberThatIsNotListedIsTold() {
    assertEquals("errno 4095", Errno.name(4095));
    assertEquals("", Errno.text(4095));
  }

  @Test
  void onlyTheNegatedNumberIsTheErrno() {
    assertTrue(Errno.EAGAIN.is(-11L));
    assertFalse(Errno.EAGAIN.is(11L));
    assertFalse(Errno.EAGAIN.is(0L));
    assertFalse(Errno.EAGAIN.is(-12L));
  }
}
