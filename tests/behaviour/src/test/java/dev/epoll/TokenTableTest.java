package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Fds;
import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenTableTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, -1, 0x7fff_ffff, 0x8000_0000, 0x1234_5678})
  void aTokenKeepsItsSlotAndItsSequence(int sequence) {
    for (int slot : new int[] {0, 1, 65_535, 65_536, Integer.MAX_VALUE}) {
      long token = Token.of(slot, sequence);
      assertEquals(slot, Token.slot(token));
      assertEquals(sequence, Token.sequence(token));
      assertNotEquals(Token.WAKEUP, token);
    }
  }

  @Test
  void noRegistrationHasTheSlotOfTheWakeup() {
    TokenTable<String> table = new TokenTable<>();
    for (int i = 0; i < 100_000; i++) {
      assertTrue(table.allocate() >= 0);
    }
    assertNull(table.find(Token.slot(Token.WAKEUP)));
  }

  @Test
  void aSlotIsFreeForTheNextOwnerWhoseSequenceGoesOn() {
    TokenTable<String> table = new TokenTable<>();
    int slot = table.allocate();
    table.put(slot, "first");
    assertEquals("first", table.find(slot));
    table.free(slot, 41);
    assertNull(table.find(slot));
    assertEquals(slot, table.allocate());
    assertEquals(41, table.lastSequence(slot));
  }

  @Test
  void everyOwnerIsFoundByItsSlotWhileTheTableGrows() {
    TokenTable<Integer> table = new TokenTable<>();
    Set<Integer> slots = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      int slot = table.allocate();
      assertTrue(slots.add(slot));
      table.put(slot, slot);
    }
    for (int slot : slots) {
      assertEquals(slot, table.find(slot));
      table.free(slot, slot);
    }
    for (int i = 0; i < 10_000; i++) {
      int slot = table.allocate();
      assertTrue(slots.remove(slot));
      assertEquals(slot, table.lastSequence(slot));
    }
    assertNull(table.find(1 << 20));
  }

  @ParameterizedTest
  @ValueSource(ints = {-3, Integer.MAX_VALUE - 2, 253, 65_533})
  void awaitsGoOnAcrossTheWrapOfTheSequence(int sequence) throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open();
        Registration registration = poller.register(fds.eventfd(1))) {
      force(registration, sequence);
      for (int i = 0; i < 6; i++) {
        assertTrue(registration.blockUntil(Interest.READABLE).isReadable());
      }
      assertEquals(sequence + 6, registration.lastSequence());
      assertEquals(0, poller.stats().staleEvents());
    }
  }

  @Test
  void anEventOfAnyEarlierArmIsStale() throws Exception {
    try (Fds fds = new Fds();
        Poller poller = Poller.open();
        Registration registration = poller.register(fds.eventfd(0))) {
      force(registration, -1);
      RecordingWaiter waiter = new RecordingWaiter();
      registration.arm(Interest.READABLE, waiter);
      Rounds.inPoller(
          poller,
          () -> {
            for (int bit = 0; bit < Integer.SIZE; bit++) {
              int earlier = registration.lastSequence() - (1 << bit);
              WaiterQueue.Batch met = new WaiterQueue.Batch();
              registration.event(earlier, EventMask.IN.bits(), met, new WaiterQueue.Batch());
              assertEquals(0, met.size());
            }
          });
      Rounds.assertSilent(poller, waiter);
      assertEquals(Integer.SIZE, poller.stats().staleEvents());
      Fds.add(registration.fd(), 1);
      assertTrue(waiter.readiness().isReadable());
    }
  }

  private static void force(Registration registration, int sequence) throws Exception {
    Field field = Registration.class.getDeclaredField("sequence");
    field.setAccessible(true);
    field.setInt(registration, sequence);
  }
}
