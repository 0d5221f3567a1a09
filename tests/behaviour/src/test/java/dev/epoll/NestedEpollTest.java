package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NestedEpollTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask ET = EventMask.EDGE_TRIGGERED;
  private static final EventMask LT = EventMask.NONE;
  private static final List<Harvest.Event> FROM_INNER = List.of(new Harvest.Event(IN, 7));

  private final Fds fds = new Fds();
  private final List<Epoll> sets = new ArrayList<>();

  @AfterEach
  void close() {
    sets.forEach(Epoll::close);
    fds.close();
  }

  private Epoll open() throws Exception {
    Epoll set = Epoll.open();
    sets.add(set);
    return set;
  }

  private Epoll over(Epoll inner, EventMask mode) throws Exception {
    Epoll outer = open();
    outer.add(inner.fd(), IN.or(mode), 7);
    return outer;
  }

  @ParameterizedTest
  @CsvSource({"0, 0, true", "0, 0x80000000, true", "0x80000000, 0x80000000, false"})
  @Conformance({160, 161, 163})
  void theOuterModeDecidesWhetherAnUnreadInnerIsReportedAgain(
      String outerMode, String innerMode, boolean again) throws Exception {
    Fds.Pair pair = fds.socketpair();
    Epoll inner = open();
    inner.add(pair.a(), IN.or(EventMask.of(Long.decode(innerMode).intValue())), 1);
    Epoll outer = over(inner, EventMask.of(Long.decode(outerMode).intValue()));
    assertFalse(outer.isReady());
    Fds.write(pair.b(), 1);
    assertTrue(outer.isReady());
    assertEquals(FROM_INNER, Harvest.now(outer));
    assertEquals(again, outer.isReady());
    assertEquals(again ? FROM_INNER : List.of(), Harvest.now(outer));
  }

  @Test
  @Conformance(170)
  void fiveLevelsAreAcceptedAndTheSixthIsRefused() throws Exception {
    Epoll top = open();
    top.add(fds.pipe().a(), IN, 1);
    for (int level = 1; level < 5; level++) {
      top = over(top, LT);
    }
    Epoll highest = top;
    Epoll tooHigh = open();
    loops(tooHigh, highest);
    assertEquals(1, highest.size());
  }

  private static void loops(Epoll outer, Epoll inner) throws Exception {
    List<Epoll.Entry> before = outer.entries();
    SyscallException refused =
        assertThrows(SyscallException.class, () -> outer.add(inner.fd(), IN, 1));
    assertEquals("ELOOP", refused.errnoName());
    assertTrue(refused.getMessage().contains("ring"), refused::getMessage);
    assertEquals(before, outer.entries());
    assertEquals(before, outer.kernelEntries());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5})
  @Conformance(172)
  void aRingIsRefusedAndTheChainStays(int size) throws Exception {
    Fds.Pair pipe = fds.pipe();
    Epoll bottom = open();
    Epoll top = bottom;
    for (int i = 1; i < size; i++) {
      top = over(top, LT);
    }
    loops(bottom, top);
    bottom.add(pipe.a(), IN, 1);
    assertEquals(List.of(), Harvest.now(top));
    Fds.write(pipe.b(), 1);
    assertEquals(FROM_INNER, Harvest.now(top));
  }

  @Test
  @Conformance(173)
  void bothLayersAreCleanForTheSecondRound() throws Exception {
    Fds.Pair pipe = fds.pipe();
    Epoll inner = open();
    inner.add(pipe.a(), IN, 1);
    Epoll outer = over(inner, LT);
    for (int round = 0; round < 2; round++) {
      WaitingThread waiting = WaitingThread.in(outer);
      Fds.write(pipe.b(), 1);
      assertEquals(1, waiting.count());
      assertEquals(7, outer.ready().data(0));
      assertEquals(List.of(new Harvest.Event(IN, 1)), Harvest.now(inner));
      assertEquals(1, Fds.drain(pipe.a()));
      assertEquals(List.of(), Harvest.now(outer));
      assertEquals(List.of(), Harvest.now(inner));
    }
  }

  @Test
  @Conformance(175)
  void anEdgeOfTheOuterComesWithEveryNewReadyFdOfTheInner() throws Exception {
    Fds.Pair first = fds.pipe();
    Fds.Pair second = fds.pipe();
    Epoll inner = open();
    inner.add(first.a(), IN, 1);
    inner.add(second.a(), IN, 2);
    Epoll outer = over(inner, ET);
    Fds.write(first.b(), 1);
    assertEquals(FROM_INNER, Harvest.now(outer));
    Fds.write(second.b(), 1);
    assertEquals(FROM_INNER, Harvest.now(outer));
    assertEquals(2, Harvest.count(inner));
    assertEquals(List.of(), Harvest.now(outer));
    Fds.write(first.b(), 1);
    assertEquals(FROM_INNER, Harvest.now(outer));
  }

  @Test
  @Conformance(176)
  void aClosedInnerSetVanishesFromTheOuter() throws Exception {
    Epoll inner = open();
    inner.add(fds.eventfd(1), IN, 1);
    Epoll outer = over(inner, LT);
    assertEquals(FROM_INNER, Harvest.now(outer));
    inner.close();
    assertEquals(List.of(), Harvest.now(outer));
    assertEquals(List.of(), outer.kernelEntries());
  }

  @Test
  void isReadyTakesNoEvent() throws Exception {
    Epoll epoll = open();
    assertFalse(epoll.isReady());
    epoll.add(fds.eventfd(1), IN.or(ET), 1);
    assertTrue(epoll.isReady());
    assertTrue(epoll.isReady());
    assertEquals(1, Harvest.count(epoll));
    assertFalse(epoll.isReady());
  }
}
