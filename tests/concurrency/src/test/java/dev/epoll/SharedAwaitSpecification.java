package dev.epoll;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The operations of {@link SharedAwaitOperations} one at a time, without counts and locks. */
public class SharedAwaitSpecification {
  /** Who registered the number. */
  private enum Owner {
    NOBODY,
    THE_AWAITS,
    SOMEBODY
  }

  private Owner owner = Owner.NOBODY;

  /** The waiter of each await, by when it began. */
  private final Map<Integer, Integer> waiting = new LinkedHashMap<>();

  private final Map<Integer, Integer> lastAwaits = new HashMap<>();

  /** How often a registration began or armed: an event counts only if it is of the last time. */
  private int arms;

  // The kernel's side
  private boolean isInSet;
  private boolean isArmed;
  private boolean isReady;
  private boolean isReported;
  private int reportedArm;

  private String tellWaiting(String outcome) {
    List<String> told = new ArrayList<>();
    waiting.values().forEach(waiter -> told.add(waiter + outcome));
    waiting.clear();
    return told.toString();
  }

  private void begin(Owner next) {
    owner = next;
    isInSet = next != Owner.NOBODY;
    isArmed = false;
    arms++;
  }

  /** A registration of the awaits' own goes with the last of them. */
  private void endIfUnused() {
    if (owner == Owner.THE_AWAITS && waiting.isEmpty()) {
      begin(Owner.NOBODY);
    }
  }

  public String arm(int waiter) {
    String told = "[]";
    if (!isInSet) {
      // The number has a new file: who waited for the last one is told now.
      told = tellWaiting(" failed");
      begin(Owner.THE_AWAITS);
    }
    arms++;
    isArmed = true;
    waiting.put(arms, waiter);
    lastAwaits.put(waiter, arms);
    return "waits" + told;
  }

  public boolean cancel(int waiter) {
    @Nullable Integer last = lastAwaits.get(waiter);
    if (last == null || waiting.remove(last) == null) {
      return false;
    }
    endIfUnused();
    return true;
  }

  public void closeFd() {
    isInSet = false;
    isArmed = false;
    isReady = false;
  }

  public void makeReady() {
    isReady = true;
  }

  public void harvest() {
    if (!isReported && isReady && isArmed) {
      isReported = true;
      isArmed = false;
      reportedArm = arms;
    }
  }

  public String round() {
    boolean counts = isReported && reportedArm == arms;
    isReported = false;
    String told = counts ? tellWaiting(" ready") : "[]";
    endIfUnused();
    return told;
  }

  public String open() {
    if (isInSet) {
      return "EEXIST[]";
    }
    begin(Owner.SOMEBODY);
    return "opened" + tellWaiting(" failed");
  }

  public String close() {
    if (owner != Owner.SOMEBODY) {
      return "[]";
    }
    begin(Owner.NOBODY);
    return tellWaiting(" failed");
  }

  public boolean isWatched() {
    return isInSet;
  }
}
