package dev.epoll;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The operations of {@link TimerOperations} one at a time. */
public class TimerSpecification {
  /** By identity: there may be two of the same owner and time. */
  private static final class Timer {
    final int owner;
    final int time;

    Timer(int owner, int time) {
      this.owner = owner;
      this.time = time;
    }
  }

  /** Sorted by their times; the sort keeps the order of those that are equal. */
  private final List<Timer> waiting = new ArrayList<>();

  private final Map<Integer, Timer> lastTimers = new HashMap<>();
  private boolean isEnded;

  public String add(int owner, int time) {
    if (isEnded) {
      return "ended";
    }
    Timer timer = new Timer(owner, time);
    waiting.add(timer);
    waiting.sort(Comparator.comparingInt(each -> each.time));
    lastTimers.put(owner, timer);
    return waiting.indexOf(timer) == 0 ? "first" : "later";
  }

  public boolean cancel(int owner) {
    return waiting.remove(lastTimers.get(owner));
  }

  public @Nullable String takeDue(int time) {
    return waiting.isEmpty() || waiting.get(0).time > time ? null : takeFirst();
  }

  public long nanosToFirst() {
    return waiting.isEmpty() ? EpollFd.FOREVER : waiting.get(0).time;
  }

  public @Nullable String takeEnded() {
    isEnded = true;
    return waiting.isEmpty() ? null : takeFirst();
  }

  private String takeFirst() {
    Timer first = waiting.remove(0);
    return first.owner + " at " + first.time;
  }

  public int size() {
    return waiting.size();
  }
}
