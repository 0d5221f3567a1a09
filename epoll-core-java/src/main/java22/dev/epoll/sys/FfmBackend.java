package dev.epoll.sys;

import org.jspecify.annotations.Nullable;

/** The ffm backend, as JDK 22 and newer see it. */
final class FfmBackend {
  private FfmBackend() {}

  static @Nullable Syscalls open() {
    return new FfmSyscalls();
  }
}
