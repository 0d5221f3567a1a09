package dev.epoll;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The live registrations by their fd's number: a hash table whose chains run through {@link
 * Registration#nextInBucket}, because there may be very many registrations, and an entry and a
 * boxed number for each would cost as much as the registration itself.
 *
 * <p>Thread: every method under the owner's lock.
 */
final class ByFd {
  private static final int INITIAL_BUCKETS = 64;

  /**
   * 2^32 divided by the golden ratio. Numbers are dense, but those of one poller of a group may be
   * every eighth of them, which would share their low bits.
   */
  private static final int SPREAD = 0x9E3779B9;

  private @Nullable Registration[] buckets = new Registration[INITIAL_BUCKETS];
  private int size;

  @Nullable Registration get(int fd) {
    Registration entry = buckets[bucket(fd)];
    while (entry != null && entry.fd() != fd) {
      entry = entry.nextInBucket;
    }
    return entry;
  }

  /** Puts {@code registration} in, and returns what it replaces. */
  @Nullable Registration put(Registration registration) {
    Registration previous = get(registration.fd());
    if (previous != null) {
      remove(previous);
    }
    if (size == buckets.length) {
      grow();
    }
    link(registration);
    size++;
    return previous;
  }

  private void grow() {
    List<Registration> entries = values();
    buckets = new Registration[Math.multiplyExact(buckets.length, 2)];
    entries.forEach(this::link);
  }

  private void link(Registration registration) {
    int bucket = bucket(registration.fd());
    registration.nextInBucket = buckets[bucket];
    buckets[bucket] = registration;
  }

  /** Does nothing if {@code registration} is not in, as when another has replaced it. */
  @SuppressWarnings("ReferenceEquality") // another registration of the same fd is another entry
  void remove(Registration registration) {
    int bucket = bucket(registration.fd());
    Registration before = null;
    Registration entry = buckets[bucket];
    while (entry != null && entry != registration) {
      before = entry;
      entry = entry.nextInBucket;
    }
    if (entry == null) {
      return;
    }
    if (before == null) {
      buckets[bucket] = entry.nextInBucket;
    } else {
      before.nextInBucket = entry.nextInBucket;
    }
    entry.nextInBucket = null;
    size--;
  }

  /** All, in no order. */
  List<Registration> values() {
    List<Registration> all = new ArrayList<>(size);
    for (Registration first : buckets) {
      for (Registration entry = first; entry != null; entry = entry.nextInBucket) {
        all.add(entry);
      }
    }
    return all;
  }

  void clear() {
    values().forEach(this::remove);
  }

  private int bucket(int fd) {
    return (fd * SPREAD) >>> Integer.numberOfLeadingZeros(buckets.length - 1);
  }
}
