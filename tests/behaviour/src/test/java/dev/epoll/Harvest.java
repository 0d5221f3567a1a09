package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.testing.Eventually;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** What a set reports, as values that tests compare. */
final class Harvest {
  /** Ends a test that has failed; nothing waits so long otherwise. */
  static final Duration LIMIT = Duration.ofSeconds(20);

  private static final Duration QUIET = Duration.ofMillis(50);

  private Harvest() {}

  /** One event, copied. */
  record Event(EventMask mask, long data) {}

  /** What a wait that does not block brings. */
  static List<Event> now(Epoll epoll) throws IOException {
    epoll.waitForEvents(Duration.ZERO);
    return copy(epoll);
  }

  /** How many events a wait that does not block brings. */
  static int count(Epoll epoll) throws IOException {
    return epoll.waitForEvents(Duration.ZERO);
  }

  /**
   * The mask of the only event that a wait that does not block brings, or NONE if it brings none.
   */
  static EventMask mask(Epoll epoll) throws IOException {
    List<Event> events = now(epoll);
    return events.isEmpty() ? EventMask.NONE : only(events).mask();
  }

  /** The only event of a wait that lasts until there is one. */
  static Event next(Epoll epoll) throws IOException {
    epoll.waitForEvents(LIMIT);
    return only(copy(epoll));
  }

  /** The mask of {@link #next}. */
  static EventMask nextMask(Epoll epoll) throws IOException {
    return next(epoll).mask();
  }

  /** Waits until {@link #mask} is {@code expected}. */
  static void settles(Epoll epoll, EventMask expected) {
    AtomicReference<EventMask> last = new AtomicReference<>();
    try {
      Eventually.until(
          "mask " + expected,
          () -> {
            last.set(mask(epoll));
            return last.get().equals(expected);
          });
    } catch (AssertionError e) {
      throw new AssertionError("expected " + expected + ", last was " + last, e);
    }
  }

  /** Nothing is reported for a while. */
  static void staysQuiet(Epoll epoll) throws IOException {
    epoll.waitForEvents(QUIET);
    assertEquals(List.of(), copy(epoll));
  }

  private static Event only(List<Event> events) {
    assertEquals(1, events.size(), events::toString);
    return events.get(0);
  }

  private static List<Event> copy(Epoll epoll) {
    List<Event> events = new ArrayList<>();
    epoll.ready().forEach((mask, data) -> events.add(new Event(EventMask.of(mask), data)));
    return events;
  }
}
