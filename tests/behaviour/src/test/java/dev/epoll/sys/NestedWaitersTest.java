package dev.epoll.sys;

import static dev.epoll.sys.Linux.EPOLLET;
import static dev.epoll.sys.Linux.EPOLLIN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import java.lang.ref.Reference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that wait on sets of sets. */
class NestedWaitersTest {
  private static final int LEVEL = EPOLLIN;
  private static final int EDGE = EPOLLIN | EPOLLET;

  private final Seam seam = new Seam(Backend.syscalls());
  private final int source = seam.eventfd(0);

  @AfterEach
  void close() {
    seam.close();
  }

  private InThread<Integer> waiting(String name, int epfd) throws InterruptedException {
    InThread<Integer> thread = InThread.start(name, () -> seam.wait(epfd, 1, -1).size());
    thread.asleep();
    return thread;
  }

  /** poll(2) without a time limit, which takes no event. */
  private InThread<Integer> polling(String name, int epfd) throws InterruptedException {
    NativeMemory pollfd = seam.ints(epfd, EPOLLIN);
    InThread<Integer> thread =
        InThread.start(
            name,
            () -> {
              try {
                return seam.syscalls.poll(pollfd.address(), 1, -1);
              } finally {
                Reference.reachabilityFence(pollfd);
              }
            });
    thread.asleepInPoll();
    return thread;
  }

  @ParameterizedTest
  @Conformance(164)
  @ValueSource(ints = {LEVEL, EDGE})
  void aLevelTriggeredOuterSetWakesBothItsWaiters(int inner) throws Exception {
    int outer = seam.epollOver(seam.epollOver(source, inner), LEVEL);
    InThread<Integer> a = waiting("outer a", outer);
    InThread<Integer> b = waiting("outer b", outer);
    seam.writeLong(source, 1);
    assertEquals(1, a.get());
    assertEquals(1, b.get());
  }

  @ParameterizedTest
  @Conformance(164)
  @ValueSource(ints = {LEVEL, EDGE})
  void anEdgeTriggeredOuterSetWakesOneOfItsWaiters(int inner) throws Exception {
    int outer = seam.epollOver(seam.epollOver(source, inner), EDGE);
    InThread<Integer> a = waiting("outer a", outer);
    InThread<Integer> b = waiting("outer b", outer);
    seam.writeLong(source, 1);
    Eventually.until("one wait ends", () -> a.isDone() || b.isDone());
    Thread.sleep(50);
    assertTrue(a.isDone() != b.isDone(), "both returned");
    seam.writeLong(source, 1);
    assertEquals(1, a.get());
    assertEquals(1, b.get());
  }

  @ParameterizedTest
  @Conformance(166)
  @ValueSource(ints = {LEVEL, EDGE})
  void oneWriteEndsTheWaitsOnTheInnerAndTheOuterSet(int outerBits) throws Exception {
    int inner = seam.epollOver(source, LEVEL);
    int outer = seam.epollOver(inner, outerBits);
    InThread<Integer> onInner = waiting("on inner", inner);
    InThread<Integer> onOuter = waiting("on outer", outer);
    seam.writeLong(source, 1);
    assertEquals(1, onInner.get());
    assertEquals(1, onOuter.get());
  }

  @ParameterizedTest
  @Conformance(167)
  @ValueSource(ints = {LEVEL, EDGE})
  void anEdgeOfTheInnerSetAlwaysEndsTheWaitOnIt(int outerBits) throws Exception {
    int inner = seam.epollOver(source, EDGE);
    int outer = seam.epollOver(inner, outerBits);
    InThread<Integer> onInner = waiting("on inner", inner);
    InThread<Integer> onOuter = waiting("on outer", outer);
    seam.writeLong(source, 1);
    assertEquals(1, onInner.get());
    // Whether that edge ended the outer wait too is open; one that nobody takes below does.
    seam.writeLong(source, 1);
    assertEquals(1, onOuter.get());
  }

  @ParameterizedTest
  @Conformance(169)
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void twoWritesEndBothWaitsOnADiamond(boolean edge, boolean secondPolls) throws Exception {
    int bits = edge ? EDGE : LEVEL;
    int secondSource = seam.eventfd(0);
    int outer = seam.epoll();
    seam.add(outer, seam.epollOver(source, bits), bits);
    seam.add(outer, seam.epollOver(secondSource, bits), bits);
    InThread<Integer> a = waiting("outer a", outer);
    InThread<Integer> b = secondPolls ? polling("outer b", outer) : waiting("outer b", outer);
    seam.writeLong(source, 1);
    seam.writeLong(secondSource, 1);
    assertEquals(1, a.get());
    assertEquals(1, b.get());
  }
}
