package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.PollerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class AwaitTest {
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
  @Conformance({286})
  void anEmptySocketIsWritableAtOnceAndReadableOnceThePeerWrites() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Registration registration = poller.register(sockets.a());
    assertTrue(arm(registration, Interest.WRITABLE).readiness().isWritable());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    Rounds.assertSilent(poller, reader);
    Fds.write(sockets.b(), 1);
    assertTrue(reader.readiness().isReadable());
  }

  @Test
  @Conformance({287, 302})
  void whatWasReadyBeforeIsReportedToEveryAwait() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Fds.write(pipe.b(), 1);
    Registration registration = poller.register(pipe.a());
    for (int i = 0; i < 3; i++) {
      assertTrue(arm(registration, Interest.READABLE).readiness().isReadable());
    }
    Fds.drain(pipe.a());
    Rounds.assertSilent(poller, arm(registration, Interest.READABLE));
  }

  @Test
  @Conformance({289})
  void readerAndWriterOfOneFdAreResumedEachByTheirOwnEvent() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    Fds.write(sockets.b(), 1);
    assertTrue(reader.readiness().isReadable());
    Rounds.assertSilent(poller, writer);
    Fds.drain(sockets.b());
    assertTrue(writer.readiness().isWritable());
  }

  @Test
  @Conformance({289})
  void theReaderIsArmedAgainWhenTheWriterIsServedFirst() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    Fds.drain(sockets.b());
    assertTrue(writer.readiness().isWritable());
    Rounds.assertSilent(poller, reader);
    Fds.write(sockets.b(), 1);
    assertTrue(reader.readiness().isReadable());
  }

  @Test
  @Conformance({290, 292})
  void allWhoWaitForTheSameAreResumedInTheOrderOfTheirComing() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    List<Integer> order = new CopyOnWriteArrayList<>();
    List<RecordingWaiter> waiters = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      int number = i;
      waiters.add(new RecordingWaiter(() -> order.add(number)));
      registration.arm(Interest.READABLE, waiters.get(i));
    }
    assertEquals(2, poller.stats().epollControls());
    Fds.write(pipe.b(), 1);
    waiters.forEach(waiter -> assertTrue(waiter.readiness().isReadable()));
    assertEquals(IntStream.range(0, 100).boxed().toList(), order);
    assertEquals(1, poller.stats().events());
  }

  @Test
  void anAwaitOfWhatIsArmedAlreadyCostsNoSystemCall() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    arm(registration, Interest.READABLE.or(Interest.WRITABLE));
    assertEquals(2, poller.stats().epollControls());
    arm(registration, Interest.READABLE);
    arm(registration, Interest.WRITABLE);
    assertEquals(2, poller.stats().epollControls());
    arm(registration, Interest.PRIORITY);
    assertEquals(3, poller.stats().epollControls());
    EventMask armed = poller.snapshot().registrations().get(0).armed();
    assertEquals("IN|PRI|OUT|RDHUP".length(), armed.toString().length(), armed::toString);
  }

  @Test
  void oneAwaitIsOneSystemCallOfTheWaitingThread() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    for (int round = 1; round <= 50; round++) {
      RecordingWaiter waiter = arm(registration, Interest.READABLE);
      Fds.write(pipe.b(), 1);
      waiter.readiness();
      Fds.drain(pipe.a());
      assertEquals(1 + round, poller.stats().epollControls());
    }
    assertEquals(0, poller.stats().wakeups());
  }

  @Test
  @Conformance({302, 304})
  void anAwaitOfBothDirectionsGetsWhatIsThere() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Registration registration = poller.register(sockets.a());
    Interest both = Interest.READABLE.or(Interest.WRITABLE);
    assertEquals(EventMask.OUT, arm(registration, both).readiness().mask());
    Fds.write(sockets.b(), 1);
    assertEquals(EventMask.IN.or(EventMask.OUT), arm(registration, both).readiness().mask());
    Fds.drain(sockets.a());
    assertEquals(EventMask.OUT, arm(registration, both).readiness().mask());
  }

  @Test
  @Conformance({293, 317})
  void hangupResumesWhoeverWaitsInEitherDirection() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Fds.fill(sockets.a());
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    RecordingWaiter urgent = arm(registration, Interest.PRIORITY);
    fds.close(sockets.b());
    for (RecordingWaiter waiter : List.of(reader, writer, urgent)) {
      assertTrue(waiter.readiness().isHangup());
    }
    for (Interest interest : List.of(Interest.READABLE, Interest.WRITABLE, Interest.PRIORITY)) {
      assertTrue(arm(registration, interest).readiness().isHangup());
    }
  }

  @Test
  @Conformance({125})
  void hangupAloneResumesTheReaderOfAnEmptyPipeWithTwoControls() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    RecordingWaiter reader = arm(registration, Interest.READABLE);
    fds.close(pipe.b());
    assertEquals(EventMask.HUP, reader.readiness().mask());
    Rounds.pass(poller);
    assertEquals(2, poller.stats().epollControls());
    assertEquals(1, poller.stats().events());
  }

  @Test
  @Conformance({124, 295})
  void theWriterOfAFullPipeIsResumedWhenTheReaderGoes() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Fds.fill(pipe.b());
    Registration registration = poller.register(pipe.b());
    RecordingWaiter writer = arm(registration, Interest.WRITABLE);
    Rounds.assertSilent(poller, writer);
    fds.close(pipe.a());
    Readiness readiness = writer.readiness();
    assertEquals(EventMask.ERR, readiness.mask());
    assertTrue(readiness.isError());
    assertTrue(readiness.isWritable());
  }

  @Test
  @Conformance({320})
  void theEndOfAStreamIsReportedAgainAndAgain() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Registration registration = poller.register(sockets.a());
    C.shutdown(sockets.b(), LibC.SHUT_WR);
    for (int i = 0; i < 10; i++) {
      Readiness readiness = arm(registration, Interest.READABLE).readiness();
      assertTrue(readiness.isReadable() && readiness.isReadClosed() && !readiness.isHangup());
      assertEquals(0, C.read(sockets.a(), new byte[1], 1));
    }
  }

  @Test
  @Conformance({314})
  void nothingIsDispatchedBetweenTwoAwaits() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    RecordingWaiter first = arm(registration, Interest.READABLE);
    Fds.write(pipe.b(), 1);
    first.readiness();
    PollerStats before = poller.stats();
    Fds.write(pipe.b(), 1);
    Rounds.pass(poller);
    assertEquals(before.events(), poller.stats().events());
    assertTrue(arm(registration, Interest.READABLE).readiness().isReadable());
  }

  @Test
  void aWaiterMayBeArmedOnlyOnceAtATimeAndAgainWhenItWasTold() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    RecordingWaiter waiter = arm(registration, Interest.READABLE);
    assertThrows(IllegalStateException.class, () -> registration.arm(Interest.WRITABLE, waiter));
    assertEquals(1, poller.stats().arms());
    Fds.write(pipe.b(), 1);
    assertTrue(waiter.readiness().isReadable());
    registration.arm(Interest.READABLE, waiter);
    Rounds.pass(poller);
    assertEquals(2, poller.stats().resumes());
  }
}
