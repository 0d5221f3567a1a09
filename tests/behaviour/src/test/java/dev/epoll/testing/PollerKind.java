package dev.epoll.testing;

import dev.epoll.Poller;
import dev.epoll.PollerConfig;
import dev.epoll.PollerDriver;
import dev.epoll.coroutines.CooperativePollerKt;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import kotlinx.coroutines.Dispatchers;

/** Who runs a poller's rounds, which must make no difference to those who use it. */
public enum PollerKind {
  /** A thread of its own. */
  DEDICATED,
  /** A virtual thread, from JDK 21 on. */
  VIRTUAL_THREAD,
  /** A coroutine of Dispatchers.Default. */
  COROUTINE;

  /** Those that there are on this JDK. */
  public static List<PollerKind> available() {
    return Arrays.stream(values())
        .filter(kind -> kind != VIRTUAL_THREAD || Runtime.version().feature() >= 21)
        .toList();
  }

  public Poller open() throws IOException {
    return open(PollerConfig.defaults());
  }

  public Poller open(PollerConfig config) throws IOException {
    return switch (this) {
      case DEDICATED -> Poller.open(config);
      case VIRTUAL_THREAD -> Poller.open(config, PollerDriver.virtualThread());
      case COROUTINE -> CooperativePollerKt.openPoller(Dispatchers.getDefault(), config);
    };
  }

  /** The thread that is in epoll_wait while a poller whose own would have this name sleeps. */
  public String sleeper(String threadName) {
    return this == DEDICATED ? threadName : "epoll-poller-shared";
  }

  /** Returns once the poller whose thread would have this name sleeps. */
  public void asleep(String threadName) {
    if (this != DEDICATED) {
      Eventually.until("it sleeps through the shared poller", PollerKind::isSharedPollerAwaited);
    }
    Eventually.asleepInKernel(sleeper(threadName));
  }

  private static boolean isSharedPollerAwaited() {
    return Poller.shared().snapshot().registrations().stream()
        .anyMatch(watched -> watched.waiters() > 0);
  }
}
