package dev.epoll.fd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.TimerFd.Clock;
import dev.epoll.fd.TimerFd.OnClockSet;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Timers whose clock is set. It is set a microsecond forward and back, which needs CAP_SYS_TIME,
 * and only where nothing keeps it in step with other clocks: that would have to begin anew.
 */
@Timeout(60)
class ClockSetTest {
  /** The clock, as in adjtimex(2). */
  public interface SystemClock {
    SystemClock C = LibraryLoader.create(SystemClock.class).load("c");

    int ADJ_SETOFFSET = 0x100;
    int STA_UNSYNC = 0x40;
    int SIZE_OF_TIMEX = 208;
    int STATUS = 40;
    int SECONDS = 72;
    int MICROS = 80;

    int adjtimex(byte[] timex);

    private static ByteBuffer struct(byte[] timex) {
      return ByteBuffer.wrap(timex).order(ByteOrder.nativeOrder());
    }

    static boolean isLeftToItself() {
      byte[] timex = new byte[SIZE_OF_TIMEX];
      return C.adjtimex(timex) >= 0 && (struct(timex).getInt(STATUS) & STA_UNSYNC) != 0;
    }

    static boolean step(long seconds, long micros) {
      byte[] timex = new byte[SIZE_OF_TIMEX];
      struct(timex).putInt(0, ADJ_SETOFFSET).putLong(SECONDS, seconds).putLong(MICROS, micros);
      return C.adjtimex(timex) >= 0;
    }
  }

  /** Sets the clock, twice, after which it is as it was. */
  private static void setClock() {
    assumeTrue(SystemClock.step(0, 1), "the clock may be set");
    assertTrue(SystemClock.step(-1, 999_999), () -> "errno " + LibC.errno());
  }

  private Poller poller;
  private TimerFd timer;

  @BeforeEach
  void open() throws Exception {
    assumeTrue(SystemClock.isLeftToItself(), "nothing keeps the clock in step");
    poller = Poller.open();
    timer = TimerFd.open(poller, Clock.REALTIME);
  }

  @AfterEach
  void close() {
    if (poller != null) {
      timer.close();
      poller.close();
    }
  }

  private static Instant inAnHour() {
    return Instant.now().plusSeconds(3600);
  }

  private void assertUsable() throws Exception {
    timer.setAfter(Duration.ZERO);
    assertEquals(1, timer.blocking().take());
  }

  @Test
  @Conformance(212)
  void aClockThatIsSetCancelsATimerThatAskedForIt() throws Exception {
    timer.setAt(inAnHour(), Duration.ZERO, OnClockSet.CANCEL);
    setClock();
    assertTrue(timer.registration().blockUntil(Interest.READABLE).isReadable());
    ClockSetException e = assertThrows(ClockSetException.class, timer::tryTake);
    assertEquals("ECANCELED", ((SyscallException) e.getCause()).errnoName());
    assertTrue(e.getMessage().contains("set the timer again"), e::getMessage);
    assertEquals(TimerFd.NONE, timer.tryTake());
    assertTrue(timer.setting().isArmed());
    assertUsable();
  }

  @Test
  void whoeverWaitsForThatTimerIsTold() throws Exception {
    timer.setAt(inAnHour(), Duration.ZERO, OnClockSet.CANCEL);
    Running<Long> taker = Running.of(timer.blocking()::take).waitingOn(timer.registration());
    setClock();
    assertInstanceOf(ClockSetException.class, taker.failure());
    assertUsable();
  }

  @Test
  void settingATimerWhoseClockWasSetTellsOfItAndSetsIt() throws Exception {
    timer.setAt(inAnHour(), Duration.ZERO, OnClockSet.CANCEL);
    setClock();
    assertThrows(
        ClockSetException.class,
        () -> timer.setAt(Instant.now(), Duration.ofHours(1), OnClockSet.CANCEL));
    assertEquals(1, timer.blocking().take());
    assertEquals(Duration.ofHours(1), timer.setting().period());
  }

  @Test
  void otherTimersAreNotTold() throws Exception {
    timer.setAt(inAnHour());
    setClock();
    assertEquals(TimerFd.NONE, timer.tryTake());
    timer.setAfter(Duration.ofHours(1));
    setClock();
    assertEquals(TimerFd.NONE, timer.tryTake());
    assertTrue(timer.setting().isArmed());
  }
}
