package dev.epoll.sys;

import org.jspecify.annotations.Nullable;

/**
 * The ffm backend, as a JDK older than 22 sees it: there is none. The multi-release jar holds this
 * class twice; the other one, below {@code META-INF/versions/22}, opens the backend.
 */
final class FfmBackend {
  private FfmBackend() {}

  static @Nullable Syscalls open() {
    return null;
  }
}
