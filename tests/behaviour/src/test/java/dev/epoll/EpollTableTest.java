package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The table is what the kernel holds, after every call that names the fd. */
class EpollTableTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;
  private static final EventMask EXCLUSIVE = EventMask.EXCLUSIVE;

  private static final int F_DUPFD_CLOEXEC = 1030;

  private final Fds fds = new Fds();
  private final Set<Integer> highNumbers = new HashSet<>();
  private Epoll epoll;

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open();
  }

  @AfterEach
  void close() {
    epoll.close();
    fds.close();
    highNumbers.forEach(C::close);
  }

  private void holds(Epoll.Entry... entries) throws Exception {
    assertEquals(List.of(entries), epoll.entries());
    assertEquals(List.of(entries), epoll.kernelEntries());
  }

  private static Epoll.Entry entry(int fd, EventMask mask, long data) {
    return new Epoll.Entry(fd, mask, data);
  }

  private static void refuses(String errno, Executable call) {
    assertEquals(errno, assertThrows(SyscallException.class, call).errnoName());
  }

  /** An eventfd with a number so high that no other thread is given it once it is closed. */
  private int highNumber() {
    int fd = fds.eventfd(1);
    int number = check(C.fcntl(fd, F_DUPFD_CLOEXEC, 2000));
    fds.close(fd);
    highNumbers.add(number);
    return number;
  }

  /** The number of a fd that was in the set when it was closed. */
  private int closedBehindOurBack(EventMask mask) throws Exception {
    int number = highNumber();
    epoll.add(number, mask, 1);
    check(C.close(number));
    return number;
  }

  /** The same, after {@code fd} has got the number. */
  private int reused(EventMask mask, int fd) throws Exception {
    int number = closedBehindOurBack(mask);
    check(C.dup2(fd, number));
    fds.close(fd);
    return number;
  }

  private int reused(EventMask mask) throws Exception {
    return reused(mask, fds.eventfd(1));
  }

  private int reusedByUnpollable() throws Exception {
    return reused(IN, fds.open("/dev/null", LibC.O_RDONLY));
  }

  @Test
  @Conformance({29, 31})
  void followsEverySuccessfulChange() throws Exception {
    int first = fds.eventfd(1);
    int second = fds.eventfd(1);
    epoll.add(second, IN, 2);
    holds(entry(second, IN, 2));
    epoll.set(first, OUT, -1);
    holds(entry(first, OUT, -1), entry(second, IN, 2));
    epoll.modify(second, EventMask.NONE, Long.MIN_VALUE);
    epoll.set(first, IN.or(EventMask.EDGE_TRIGGERED), 5);
    holds(
        entry(first, IN.or(EventMask.EDGE_TRIGGERED), 5),
        entry(second, EventMask.NONE, Long.MIN_VALUE));
    epoll.remove(first);
    holds(entry(second, EventMask.NONE, Long.MIN_VALUE));
    epoll.remove(second);
    holds();
  }

  @Test
  void showsErrAndHupWhereTheyWereAskedFor() throws Exception {
    int fd = fds.eventfd(1);
    for (EventMask mask :
        List.of(EventMask.ERR, EventMask.HUP, EventMask.ERR.or(EventMask.HUP), IN)) {
      epoll.set(fd, mask, 1);
      holds(entry(fd, mask, 1));
    }
  }

  @Test
  @Conformance(29)
  void aClosedFdIsDroppedByTheCallThatFindsItClosed() throws Exception {
    List<Executable> calls = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int fd = highNumber();
      epoll.add(fd, IN, i);
      calls.add(
          List.<Executable>of(
                  () -> epoll.modify(fd, OUT, 1),
                  () -> epoll.remove(fd),
                  () -> epoll.set(fd, OUT, 1),
                  () -> epoll.add(fd, OUT, 1))
              .get(i));
    }
    for (Epoll.Entry entry : epoll.entries()) {
      check(C.close(entry.fd()));
    }
    for (int i = 0; i < 4; i++) {
      assertEquals(4 - i, epoll.size());
      refuses("EBADF", calls.get(i));
    }
    holds();
  }

  @Test
  @Conformance({29, 215})
  void aReusedNumberIsNotInTheSet() throws Exception {
    int fd = reused(IN);
    refuses("ENOENT", () -> epoll.modify(fd, OUT, 2));
    holds();
    int again = reused(IN);
    refuses("ENOENT", () -> epoll.remove(again));
    holds();
    int added = reused(IN);
    epoll.add(added, OUT, 3);
    holds(entry(added, OUT, 3));
    epoll.remove(added);
    int set = reused(IN);
    epoll.set(set, OUT, 4);
    holds(entry(set, OUT, 4));
  }

  @Test
  @Conformance(29)
  void aNumberReusedByWhatCannotBePolledIsDropped() throws Exception {
    int modified = reusedByUnpollable();
    refuses("EPERM", () -> epoll.modify(modified, OUT, 2));
    holds();
    int set = reusedByUnpollable();
    refuses("EPERM", () -> epoll.set(set, OUT, 2));
    holds();
    int added = reusedByUnpollable();
    refuses("EPERM", () -> epoll.add(added, OUT, 2));
    holds();
    int removed = reusedByUnpollable();
    refuses("EPERM", () -> epoll.remove(removed));
    holds();
  }

  @Test
  @Conformance(29)
  void aNumberReusedByTheSetItselfIsDropped() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN, 1);
    check(C.dup2(epoll.fd(), fd));
    refuses("EINVAL", () -> epoll.modify(fd, OUT, 2));
    holds();
  }

  @Test
  void setOverANumberThatWasExclusiveAddsTheNewFd() throws Exception {
    int fd = reused(IN.or(EXCLUSIVE));
    epoll.set(fd, OUT, 2);
    holds(entry(fd, OUT, 2));
  }

  @Test
  void setWithExclusiveOverAReusedNumberAddsTheNewFd() throws Exception {
    int fd = reused(IN);
    epoll.set(fd, IN.or(EXCLUSIVE), 2);
    holds(entry(fd, IN.or(EXCLUSIVE), 2));
  }

  @Test
  void modifyOfANumberThatWasExclusiveTellsThatItIsGone() throws Exception {
    int fd = reused(IN.or(EXCLUSIVE));
    refuses("ENOENT", () -> epoll.modify(fd, OUT, 2));
    holds();
  }

  @Test
  void aDup2OverTheNumberIsAnotherFd() throws Exception {
    int fd = fds.eventfd(1);
    int other = fds.eventfd(0);
    epoll.add(fd, IN, 1);
    check(C.dup2(other, fd));
    refuses("ENOENT", () -> epoll.modify(fd, OUT, 2));
    holds();
    epoll.set(fd, OUT, 3);
    holds(entry(fd, OUT, 3));
    check(C.dup2(fds.eventfd(0), fd));
    assertEquals(List.of(new Harvest.Event(OUT, 3)), Harvest.now(epoll)); // other keeps it open
  }

  @Test
  void aFdThatIsDup2edBackIsFoundAgain() throws Exception {
    int fd = highNumber();
    int duplicate = fds.dup(fd);
    epoll.add(fd, IN, 1);
    check(C.close(fd));
    refuses("EBADF", () -> epoll.modify(fd, OUT, 2));
    assertEquals(Optional.empty(), epoll.find(fd));
    check(C.dup2(duplicate, fd));
    refuses("EEXIST", () -> epoll.add(fd, OUT, 3));
    holds(entry(fd, IN, 1));
    epoll.set(fd, OUT, 4);
    holds(entry(fd, OUT, 4));
  }

  @Test
  void aRefusedAddShowsTheEntryThatTheKernelHoldsAndNotAnEarlierOne() throws Exception {
    int fd = fds.eventfd(1);
    int duplicate = fds.dup(fd);
    epoll.add(fd, IN, 1);
    check(C.dup2(fds.eventfd(0), fd));
    epoll.add(fd, OUT, 2);
    Epoll.Entry replaced = epoll.find(fd).orElseThrow();
    assertEquals(entry(fd, OUT, 2), replaced);
    epoll.remove(fd);
    int passing = check(C.eventfd(0, 0));
    check(C.dup2(passing, fd));
    check(C.close(passing));
    epoll.add(fd, OUT, 3);
    check(C.dup2(duplicate, fd)); // the last fd of the third file goes, the first file is back
    refuses("EEXIST", () -> epoll.add(fd, OUT, 4));
    holds(entry(fd, IN, 1));
  }

  @Test
  @Conformance({32, 31})
  void twoThreadsThatAddAndRemoveLeaveNothing() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    WaitingThread sweeper =
        WaitingThread.of(
            () -> {
              int removed = 0;
              while (!over.get() || epoll.size() > 0) {
                for (Epoll.Entry entry : epoll.entries()) {
                  removed += removeIfThere(entry.fd()) ? 1 : 0;
                }
              }
              return removed;
            });
    int fd = fds.eventfd(0);
    int removed = 0;
    int rounds = 20_000;
    for (int i = 0; i < rounds; i++) {
      epoll.add(fd, IN, i);
      assertEquals(0, Harvest.count(epoll));
      removed += removeIfThere(fd) ? 1 : 0;
    }
    over.set(true);
    assertEquals(rounds, removed + sweeper.count());
    holds();
  }

  private boolean removeIfThere(int fd) throws Exception {
    try {
      epoll.remove(fd);
      return true;
    } catch (SyscallException e) {
      assertEquals("ENOENT", e.errnoName());
      return false;
    }
  }

  @Test
  void printsOneLinePerFd() throws Exception {
    int fd = fds.eventfd(1);
    epoll.add(fd, IN.or(EventMask.ONESHOT), 0xcafe);
    String text = epoll.toString();
    assertTrue(text.startsWith("Epoll(fd " + epoll.fd() + ", IDLE, 1 entries)"), text);
    assertTrue(text.contains("fd " + fd + "  IN|ONESHOT  data 0xcafe"), text);
  }
}
