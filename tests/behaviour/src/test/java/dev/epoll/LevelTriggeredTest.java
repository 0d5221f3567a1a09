package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LoopbackFds;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LevelTriggeredTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask OUT = EventMask.OUT;

  @Test
  @Conformance(61)
  void unreadFdsAreReportedByEveryWait() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open(2)) {
      for (int i = 0; i < 2; i++) {
        Fds.Pair pair = fds.socketpair();
        epoll.add(pair.a(), IN, i);
        Fds.write(pair.b(), 1);
      }
      assertEquals(2, Harvest.count(epoll));
      assertEquals(2, Harvest.count(epoll));
    }
  }

  @Test
  @Conformance(62)
  void theEpollFdIsReadableAsLongAsDataIsUnread() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      epoll.add(pair.a(), IN, 1);
      assertFalse(epoll.isReady());
      Fds.write(pair.b(), 1);
      for (int i = 0; i < 2; i++) {
        assertTrue(epoll.isReady());
        assertEquals(1, Harvest.count(epoll));
      }
      Fds.drain(pair.a());
      assertFalse(epoll.isReady());
    }
  }

  @Test
  @Conformance(64)
  void aListenerIsReadableWhileAConnectionIsPending() throws Exception {
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      int listener = fds.listener(8);
      epoll.add(listener, IN, 1);
      assertEquals(0, Harvest.count(epoll));
      fds.connecting(LoopbackFds.port(listener));
      assertEquals(IN, Harvest.nextMask(epoll));
      fds.accept(listener);
      assertEquals(0, Harvest.count(epoll));
    }
  }

  @Test
  @Conformance(65)
  void aFullPipeIsNotWritable() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      epoll.add(pipe.b(), OUT, 2);
      Fds.fill(pipe.b());
      Harvest.staysQuiet(epoll);
      epoll.add(pipe.a(), IN, 1);
      assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(epoll));
      Fds.drain(pipe.a());
      assertEquals(List.of(new Harvest.Event(OUT, 2)), Harvest.now(epoll));
    }
  }

  @Test
  @Conformance(67)
  void everyWritableEventLetsSomethingBeSent() throws Exception {
    byte[] chunk = new byte[1 << 20];
    try (LoopbackFds fds = new LoopbackFds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair tcp = fds.pair();
      epoll.add(tcp.a(), OUT, 1);
      for (int round = 0; round < 5; round++) {
        EventMask mask = Harvest.nextMask(epoll);
        long sent = 0;
        while (!mask.equals(EventMask.NONE)) {
          assertEquals(OUT, mask);
          long count = C.write(tcp.a(), chunk, chunk.length);
          assertTrue(count > 0, "writable, but nothing could be sent");
          sent += count;
          mask = Harvest.mask(epoll);
        }
        drain(tcp.b(), sent);
      }
    }
  }

  private static void drain(int fd, long expected) {
    AtomicLong received = new AtomicLong();
    Eventually.until("all arrives", () -> received.addAndGet(Fds.drain(fd)) == expected);
  }

  @Test
  @Conformance({68, 71})
  void onlyWhatIsAskedForIsShownAndModifyAsksAgain() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pair = fds.socketpair();
      Fds.write(pair.b(), 1);
      epoll.add(pair.a(), OUT, 1);
      assertEquals(OUT, Harvest.mask(epoll));
      epoll.modify(pair.a(), IN, 1);
      assertEquals(IN, Harvest.mask(epoll));
      epoll.modify(pair.a(), OUT, 1);
      assertEquals(OUT, Harvest.mask(epoll));
      epoll.modify(pair.a(), IN.or(OUT), 1);
      assertEquals(IN.or(OUT), Harvest.mask(epoll));
    }
  }

  @Test
  @Conformance(70)
  void removingAddingAndRemovingLeavesNothingThatSpins() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      int writable = fds.socketpair().a();
      epoll.add(writable, OUT, 1);
      assertEquals(OUT, Harvest.mask(epoll));
      epoll.remove(writable);
      epoll.add(writable, OUT, 2);
      epoll.remove(writable);
      assertEquals(List.of(), epoll.kernelEntries());
      Harvest.staysQuiet(epoll);
      epoll.add(writable, OUT, 3);
      assertEquals(new Harvest.Event(OUT, 3), Harvest.next(epoll));
    }
  }
}
