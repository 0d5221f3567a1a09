package dev.epoll.fd;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened to a watched file, or in a watched directory.
 *
 * @param watch what was watched; null for {@link InotifyMask#OVERFLOW}, which is of none
 * @param mask one event, maybe with {@link InotifyMask#IS_DIRECTORY}
 * @param cookie of a rename, the same in {@link InotifyMask#MOVED_FROM} and {@link
 *     InotifyMask#MOVED_TO}; 0 for all else. Mostly the two follow each other, but others may come
 *     between, and where one of the directories is not watched there is only one.
 * @param name what it happened to in the watched directory, a path of one element; null if it
 *     happened to what is watched itself
 */
public record InotifyEvent(
    Inotify.@Nullable Watch watch, InotifyMask mask, int cookie, @Nullable Path name) {

  /** Whether this event has any of the bits of {@code mask}. */
  public boolean isAny(InotifyMask mask) {
    return this.mask.intersects(mask);
  }

  /** The path of what it happened to: that of the watch with the name; null without a watch. */
  public @Nullable Path path() {
    if (watch == null) {
      return null;
    }
    return name == null ? watch.path() : watch.path().resolve(name);
  }
}
