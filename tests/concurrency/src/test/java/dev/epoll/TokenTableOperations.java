package dev.epoll;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jspecify.annotations.Nullable;

/**
 * A table that is about to grow, whose owners come and go under a lock, and are looked up without.
 * {@link TokenTableSpecification} says what may come of it.
 */
@Param(name = "slot", gen = IntGen.class, conf = "62:64")
public class TokenTableOperations {
  static final int SLOTS_BEFORE = 63;

  private final TokenTable<String> table = new TokenTable<>();
  private final boolean[] isOwned = new boolean[SLOTS_BEFORE * 2];

  public TokenTableOperations() {
    for (int i = 0; i < SLOTS_BEFORE; i++) {
      put("first");
    }
  }

  @Operation
  public synchronized int put() {
    return put("next");
  }

  private int put(String owner) {
    int slot = table.allocate();
    table.put(slot, owner);
    isOwned[slot] = true;
    return slot;
  }

  /** Returns where the sequence of the slot's next owner goes on, or -1 if there was no owner. */
  @Operation(params = "slot")
  public synchronized int free(int slot) {
    if (!isOwned[slot]) {
      return -1;
    }
    isOwned[slot] = false;
    table.free(slot, table.lastSequence(slot) + 1);
    return table.lastSequence(slot);
  }

  @Operation(params = "slot")
  public @Nullable String find(int slot) {
    return table.find(slot);
  }
}
