package dev.epoll;

import java.util.concurrent.atomic.LongAdder;

/** What a poller counts about itself. */
final class Counters {
  final LongAdder arms = new LongAdder();
  final LongAdder cancels = new LongAdder();
  final LongAdder failures = new LongAdder();
  final LongAdder controls = new LongAdder();
  final LongAdder wakeups = new LongAdder();

  // Thread: written by the poller thread only. Ordering: plain; a reader may see a moment ago,
  // which is all that a count of a running loop can say.
  long resumes;
  long staleEvents;
  long waits;
  long events;
  long tasks;

  PollerStats stats() {
    return new PollerStats(
        arms.sum(),
        resumes,
        cancels.sum(),
        failures.sum(),
        controls.sum(),
        waits,
        events,
        staleEvents,
        wakeups.sum(),
        tasks);
  }
}
