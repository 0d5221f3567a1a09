package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class CloseAndReuseTest {
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

  private RecordingWaiter arm(Registration registration) throws IOException {
    RecordingWaiter waiter = new RecordingWaiter();
    registration.arm(Interest.READABLE, waiter);
    return waiter;
  }

  /** Closes {@code fd} behind the poller's back and gives its number to an eventfd. */
  private int reopenAsEventfd(int fd, int value) {
    fds.close(fd);
    int next = fds.eventfd(value);
    assertEquals(fd, next, "the number recycles");
    return next;
  }

  @Test
  @Conformance({230, 220})
  void aClosedRegistrationReportsNothingThoughItsFileLivesOn() throws Exception {
    Fds.Pair pipe = fds.pipe();
    int copy = fds.dup(pipe.a());
    Registration registration = poller.register(pipe.a());
    arm(registration);
    registration.close();
    fds.close(pipe.a());
    Fds.write(pipe.b(), 1);
    Rounds.pass(poller);
    assertEquals(0, poller.stats().events());
    assertTrue(arm(poller.register(copy)).readiness().isReadable());
  }

  @Test
  @Conformance({215, 223})
  void closingARegistrationAfterItsFdIsTolerated() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    RecordingWaiter waiter = arm(registration);
    fds.close(pipe.a());
    registration.close();
    waiter.failure(ClosedRegistrationException.class);
    int next = fds.eventfd(1);
    assertEquals(pipe.a(), next);
    assertTrue(arm(poller.register(next)).readiness().isReadable());
  }

  @Test
  @Conformance({215, 341})
  void armingAfterTheFdWasClosedFailsForAllWithTheErrno() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    Registration registration = poller.register(sockets.a());
    RecordingWaiter reader = arm(registration);
    fds.close(sockets.a());
    RecordingWaiter writer = new RecordingWaiter();
    SyscallException failure =
        assertThrows(SyscallException.class, () -> registration.arm(Interest.WRITABLE, writer));
    assertEquals("EBADF", failure.errnoName());
    assertEquals("EBADF", reader.failure(SyscallException.class).errnoName());
    assertFalse(writer.isTold());
    int next = fds.eventfd(0);
    assertEquals(sockets.a(), next);
    assertEquals(
        "ENOENT",
        assertThrows(SyscallException.class, () -> registration.arm(Interest.READABLE, writer))
            .errnoName());
    assertEquals(3, poller.stats().failures());
  }

  @Test
  @Conformance({217})
  void anFdThatLivesOnInACopyBringsOneStrayEventAndNoSpin() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration registration = poller.register(pipe.a());
    RecordingWaiter waiter = arm(registration);
    fds.dup(pipe.a());
    fds.close(pipe.a());
    registration.close();
    waiter.failure(ClosedRegistrationException.class);
    Fds.write(pipe.b(), 1);
    Rounds.pass(poller);
    Rounds.pass(poller);
    assertEquals(1, poller.stats().events());
    assertEquals(1, poller.stats().staleEvents());
    RecordingWaiter next = arm(poller.register(fds.eventfd(1)));
    assertTrue(next.readiness().isReadable());
  }

  @Test
  @Conformance({218, 340})
  void theEventOfAnOldFileDoesNotReachTheNextOwnerOfItsNumber() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration old = poller.register(pipe.a());
    RecordingWaiter oldWaiter = arm(old);
    fds.dup(pipe.a());
    int number = reopenAsEventfd(pipe.a(), 0);
    Registration next = poller.register(number);
    RecordingWaiter waiter = arm(next);
    oldWaiter.failure(ClosedRegistrationException.class);
    Fds.write(pipe.b(), 1);
    Rounds.assertSilent(poller, waiter);
    assertEquals(1, poller.stats().staleEvents());
    Fds.add(number, 1);
    assertTrue(waiter.readiness().isReadable());
  }

  @Test
  @Conformance({221})
  void hangupOfAnOldFileDoesNotReachTheNextOwnerOfItsNumber() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration old = poller.register(pipe.a());
    arm(old);
    fds.dup(pipe.a());
    old.close();
    RecordingWaiter waiter = arm(poller.register(reopenAsEventfd(pipe.a(), 0)));
    fds.close(pipe.b());
    Rounds.assertSilent(poller, waiter);
    assertEquals(0, poller.stats().events());
    Fds.add(pipe.a(), 1);
    assertTrue(waiter.readiness().isReadable());
  }

  @Test
  @Conformance({340, 215})
  void theOldRegistrationOfAReusedNumberCannotTouchTheNewOne() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Registration old = poller.register(pipe.a());
    int number = reopenAsEventfd(pipe.a(), 0);
    Registration next = poller.register(number);
    RecordingWaiter waiter = arm(next);
    List<Epoll.Entry> kernel = KernelTable.read(poller.snapshot().epollFd());
    assertTrue(old.isClosed());
    assertThrows(ClosedRegistrationException.class, () -> arm(old));
    old.close();
    assertEquals(kernel, KernelTable.read(poller.snapshot().epollFd()));
    Fds.add(number, 1);
    assertTrue(waiter.readiness().isReadable());
  }

  @Test
  @Conformance({218, 337})
  void aHarvestedEventDoesNotResumeTheNextOwnerOfNumberAndSlot() throws Exception {
    for (int round = 0; round < 200; round++) {
      int[] eventfds = {fds.eventfd(0), fds.eventfd(0)};
      Registration[] registrations = {poller.register(eventfds[0]), poller.register(eventfds[1])};
      List<RecordingWaiter> nextOwners = new ArrayList<>();
      AtomicInteger first = new AtomicInteger(-1);
      for (int i = 0; i < 2; i++) {
        int me = i;
        int victim = 1 - i;
        RecordingWaiter waiter =
            new RecordingWaiter(
                () -> {
                  if (first.compareAndSet(-1, me)) {
                    registrations[victim].close();
                    int number = reopenAsEventfd(eventfds[victim], 0);
                    registrations[victim] = poller.register(number);
                    nextOwners.add(arm(registrations[victim]));
                  }
                });
        registrations[i].arm(Interest.READABLE, waiter);
      }
      Rounds.inPoller(
          poller,
          () -> {
            Fds.add(eventfds[0], 1);
            Fds.add(eventfds[1], 1);
          });
      Rounds.pass(poller);
      RecordingWaiter nextOwner = nextOwners.get(0);
      assertFalse(nextOwner.isTold(), "resumed by the event of the file before");
      Fds.add(eventfds[1 - first.get()], 1);
      assertTrue(nextOwner.readiness().isReadable());
      registrations[0].close();
      registrations[1].close();
      fds.close(eventfds[0]);
      fds.close(eventfds[1]);
    }
    assertEquals(200, poller.stats().staleEvents());
  }

  @Test
  @Conformance({232})
  void anFdClosedUnderItsWaiterDisturbsNoOther() throws Exception {
    Fds.Pair one = fds.pipe();
    Fds.Pair two = fds.pipe();
    Registration registration = poller.register(one.a());
    RecordingWaiter orphan = arm(registration);
    RecordingWaiter other = arm(poller.register(two.a()));
    fds.close(one.a());
    Rounds.assertSilent(poller, orphan);
    assertFalse(other.isTold());
    Fds.write(two.b(), 1);
    assertTrue(other.readiness().isReadable());
    registration.close();
    orphan.failure(ClosedRegistrationException.class);
  }

  @Test
  @Conformance({227})
  void aCopyOnAReusedNumberIsRegisteredForItself() throws Exception {
    Fds.Pair sockets = fds.socketpair();
    int copy = fds.dup(sockets.a());
    RecordingWaiter reader = arm(poller.register(sockets.a()));
    Registration ofCopy = poller.register(copy);
    arm(ofCopy);
    ofCopy.close();
    fds.close(copy);
    int again = fds.dup(sockets.a());
    assertEquals(copy, again);
    RecordingWaiter writer = new RecordingWaiter();
    poller.register(again).arm(Interest.WRITABLE, writer);
    assertEquals(EventMask.OUT, writer.readiness().mask());
    Fds.write(sockets.b(), 1);
    assertTrue(reader.readiness().isReadable());
  }

  @Test
  @Conformance({227, 217})
  void anEntryLeftInTheKernelByAnFdClosedTooEarlyDoesNotBarItsReturn() throws Exception {
    Fds.Pair pipe = fds.pipe();
    int copy = fds.dup(pipe.a());
    Registration early = poller.register(pipe.a());
    check(C.close(pipe.a()));
    early.close();
    check(C.dup2(copy, pipe.a()));
    assertTrue(poller.snapshot().registrations().isEmpty());
    RecordingWaiter waiter = arm(poller.register(pipe.a()));
    Fds.write(pipe.b(), 1);
    assertTrue(waiter.readiness().isReadable());
  }

  /** Whether that registration is of this file or of one in between, the kernel does not tell. */
  @Test
  void aFileThatComesBackToANumberRegisteredForAnotherIsRefusedUntilThatIsClosed()
      throws Exception {
    Fds.Pair pipe = fds.pipe();
    int copy = fds.dup(pipe.a());
    poller.register(pipe.a());
    Registration between = poller.register(reopenAsEventfd(pipe.a(), 0));
    RecordingWaiter ofBetween = arm(between);
    check(C.dup2(copy, pipe.a()));
    SyscallException refused =
        assertThrows(SyscallException.class, () -> poller.register(pipe.a()));
    assertEquals("EEXIST", refused.errnoName());
    assertFalse(between.isClosed());
    between.close();
    ofBetween.failure(ClosedRegistrationException.class);
    RecordingWaiter waiter = arm(poller.register(pipe.a()));
    Fds.write(pipe.b(), 1);
    assertTrue(waiter.readiness().isReadable());
  }

  @Test
  @Conformance({235})
  void closingAllBeforeAnyEventBringsNone() throws Exception {
    List<Registration> registrations = new ArrayList<>();
    List<RecordingWaiter> waiters = new ArrayList<>();
    Rounds.inPoller(
        poller,
        () -> {
          try {
            for (int i = 0; i < 64; i++) {
              registrations.add(poller.register(fds.eventfd(1)));
              waiters.add(arm(registrations.get(i)));
            }
            registrations.forEach(Registration::close);
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    for (RecordingWaiter waiter : waiters) {
      waiter.failure(ClosedRegistrationException.class);
    }
    Rounds.pass(poller);
    assertEquals(0, poller.stats().events());
  }

  @Test
  void aNumberThatRecyclesAllTheTimeServesEveryOwner() throws Exception {
    for (int round = 0; round < 5000; round++) {
      int eventfd = fds.eventfd(0);
      Registration registration = poller.register(eventfd);
      RecordingWaiter waiter = arm(registration);
      Fds.add(eventfd, 1);
      assertTrue(waiter.readiness().isReadable());
      registration.close();
      fds.close(eventfd);
    }
    assertEquals(0, poller.stats().staleEvents());
  }
}
