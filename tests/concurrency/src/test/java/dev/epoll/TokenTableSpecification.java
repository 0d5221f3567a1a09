package dev.epoll;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The operations of {@link TokenTableOperations} one at a time. */
public class TokenTableSpecification {
  private final Map<Integer, String> owners = new HashMap<>();
  private final Map<Integer, Integer> sequences = new HashMap<>();
  private final Deque<Integer> freed = new ArrayDeque<>();
  private int neverUsed = TokenTableOperations.SLOTS_BEFORE;

  public TokenTableSpecification() {
    for (int slot = 0; slot < neverUsed; slot++) {
      owners.put(slot, "first");
    }
  }

  public int put() {
    int slot = freed.isEmpty() ? neverUsed++ : freed.pop();
    owners.put(slot, "next");
    return slot;
  }

  public int free(int slot) {
    if (owners.remove(slot) == null) {
      return -1;
    }
    freed.push(slot);
    return sequences.merge(slot, 1, Integer::sum);
  }

  public @Nullable String find(int slot) {
    return owners.get(slot);
  }
}
