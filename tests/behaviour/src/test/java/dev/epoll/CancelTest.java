package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class CancelTest {
  @Parameter private PollerKind kind;
  private final Fds fds = new Fds();
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = kind.open();
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  private RecordingWaiter arm(Registration registration, Interest interest) throws Exception {
    RecordingWaiter waiter = new RecordingWaiter();
    registration.arm(interest, waiter);
    return waiter;
  }

  @Test
  @Conformance({322, 331})
  void aCancelledReaderIsToldNothing() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    assertTrue(registration.cancel(reader));
    assertFalse(registration.cancel(reader));
    Fds.write(pipe.b(), 1);
    Rounds.assertSilent(poller, reader);
    assertEquals(0, poller.stats().resumes());
    assertEquals(0, poller.snapshot().registrations().get(0).waiters());
    assertTrue(arm(registration, Interest.READABLE).readiness().isReadable());
  }

  @Test
  @Conformance({323})
  void aCancelledWriterIsToldNothing() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    assertTrue(registration.cancel(writer));
    Fds.drain(sockets.b());
    Rounds.assertSilent(poller, writer);
    assertTrue(arm(registration, Interest.WRITABLE).readiness().isWritable());
  }

  @Test
  @Conformance({331})
  void cancellingCostsNoSystemCallAndOneStrayEventAtMost() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    for (int i = 0; i < 100; i++) {
      assertTrue(registration.cancel(arm(registration, Interest.READABLE)));
    }
    assertEquals(2, poller.stats().epollControls());
    assertEquals(0, poller.stats().wakeups());
    Fds.write(pipe.b(), 1);
    Rounds.pass(poller);
    Rounds.pass(poller);
    assertEquals(1, poller.stats().events());
    assertEquals(EventMask.NONE, poller.snapshot().registrations().get(0).armed());
  }

  @Test
  @Conformance({325})
  void cancellingTheReaderLeavesTheWriterWaiting() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    assertTrue(registration.cancel(reader));
    Fds.write(sockets.b(), 1);
    Rounds.assertSilent(poller, writer);
    assertEquals(EventMask.OUT, poller.snapshot().registrations().get(0).armed());
    Fds.drain(sockets.b());
    assertTrue(writer.readiness().isWritable());
    assertFalse(reader.isTold());
  }

  @Test
  @Conformance({326, 341})
  void waitersOfAnFdThatWasClosedUnderThemCanBeCancelled() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    fds.dup(sockets.a());
    fds.close(sockets.a());
    Rounds.pass(poller);
    assertTrue(registration.cancel(reader));
    assertTrue(registration.cancel(writer));
    registration.close();
    assertTrue(poller.snapshot().registrations().isEmpty());
    assertFalse(reader.isTold() || writer.isTold());
  }

  @Test
  void cancellingOneOfManyKeepsTheOrderOfTheOthers() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    StringBuilder order = new StringBuilder();
    RecordingWaiter[] waiters = new RecordingWaiter[26];
    for (char letter = 'a'; letter <= 'z'; letter++) {
      char told = letter;
      waiters[letter - 'a'] = new RecordingWaiter(() -> order.append(told));
      registration.arm(Interest.READABLE, waiters[letter - 'a']);
    }
    assertTrue(registration.cancel(waiters[0]));
    assertTrue(registration.cancel(waiters[12]));
    assertTrue(registration.cancel(waiters[25]));
    Fds.write(pipe.b(), 1);
    assertTrue(waiters[24].readiness().isReadable());
    assertEquals("bcdefghijklnopqrstuvwxy", order.toString());
  }

  @Test
  void aCancelDoesNotTouchTheWaiterThatComesNext() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    for (int i = 0; i < 1000; i++) {
      RecordingWaiter cancelled = arm(registration, Interest.READABLE);
      RecordingWaiter next = arm(registration, Interest.READABLE);
      assertTrue(registration.cancel(cancelled));
      Fds.write(pipe.b(), 1);
      assertTrue(next.readiness().isReadable());
      assertFalse(registration.cancel(cancelled));
      Fds.drain(pipe.a());
    }
  }

  @Test
  void cancellingAHundredThousandTimesLeavesNothing() throws Exception {
    Registration registration = poller.register(fds.pipe().a());
    RecordingWaiter waiter = new RecordingWaiter();
    for (int i = 0; i < 100_000; i++) {
      registration.arm(Interest.READABLE, waiter);
      registration.cancel(waiter);
    }
    PollerStats stats = poller.stats();
    assertEquals(100_000, stats.arms());
    assertEquals(100_000, stats.cancels());
    assertEquals(2, stats.epollControls());
    assertEquals(0, poller.snapshot().registrations().get(0).waiters());
  }
}
