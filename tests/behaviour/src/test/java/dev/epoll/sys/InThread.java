package dev.epoll.sys;

import dev.epoll.testing.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A call that blocks, in a platform thread of its own. */
final class InThread<T> {
  private static final int LIMIT_SECONDS = 30;

  /** poll on x86-64, and ppoll, which is what libc's poll calls on other CPUs. */
  private static final Set<String> POLLS = Set.of("7", "73");

  private final String name;
  private final CountDownLatch started = new CountDownLatch(1);
  private final FutureTask<T> result;

  private InThread(String name, Callable<T> call) {
    this.name = name;
    this.result =
        new FutureTask<>(
            () -> {
              started.countDown();
              return call.call();
            });
  }

  /** {@code name} has at most 15 characters and no two that run at a time share it. */
  static <T> InThread<T> start(String name, Callable<T> call) {
    InThread<T> running = new InThread<>(name, call);
    Thread thread = new Thread(running.result, name);
    thread.setDaemon(true);
    thread.start();
    return running;
  }

  /** Returns once the call is inside epoll_wait. */
  void asleep() throws InterruptedException {
    awaitStart();
    Eventually.asleepInKernel(name);
  }

  /** Returns once the call is inside poll. */
  void asleepInPoll() throws InterruptedException {
    awaitStart();
    Path syscall = Path.of("/proc/self/task/" + Eventually.tid(name) + "/syscall");
    Eventually.until(
        name + " sleeps in poll",
        () -> POLLS.contains(Files.readString(syscall).split(" ", 2)[0].trim()));
  }

  private void awaitStart() throws InterruptedException {
    if (!started.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError(name + " did not start");
    }
  }

  boolean isDone() {
    return result.isDone();
  }

  /** What the call returned. */
  T get() throws Exception {
    return result.get(LIMIT_SECONDS, TimeUnit.SECONDS);
  }
}
