package dev.epoll;

/** Something that has been asked for and has not happened yet. */
@FunctionalInterface
public interface Cancellable {
  /**
   * Takes it back. Thread: any.
   *
   * @return whether it was taken back in time; false if it has happened, is about to, or was taken
   *     back before
   */
  boolean cancel();
}
