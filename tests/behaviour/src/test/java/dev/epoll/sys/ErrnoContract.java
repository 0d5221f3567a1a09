package dev.epoll.sys;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Every call that fails returns the errno of that very call, negated. */
interface ErrnoContract {
  Syscalls syscalls();

  @Test
  default void everyCallOnABadFdReturnsEbadf() {
    Syscalls s = syscalls();
    Map<String, LongSupplier> calls = new LinkedHashMap<>();
    calls.put("epollCtl", () -> s.epollCtl(-1, Linux.EPOLL_CTL_DEL, 0, 0));
    calls.put("epollWait", () -> s.epollWait(-1, 0, 1, 0));
    calls.put("fcntl", () -> s.fcntl(-1, Linux.F_GETFL, 0));
    calls.put("close", () -> s.close(-1));
    calls.put("read", () -> s.read(-1, 0, 0));
    calls.put("write", () -> s.write(-1, 0, 0));
    calls.put("bind", () -> s.bind(-1, 0, 0));
    calls.put("listen", () -> s.listen(-1, 0));
    calls.put("accept4", () -> s.accept4(-1, 0, 0, 0));
    calls.put("connect", () -> s.connect(-1, 0, 0));
    calls.put("getsockname", () -> s.getsockname(-1, 0, 0));
    calls.put("getpeername", () -> s.getpeername(-1, 0, 0));
    calls.put("getsockopt", () -> s.getsockopt(-1, 0, 0, 0, 0));
    calls.put("setsockopt", () -> s.setsockopt(-1, 0, 0, 0, 0));
    calls.put("shutdown", () -> s.shutdown(-1, 0));
    calls.put("send", () -> s.send(-1, 0, 0, 0));
    calls.put("sendmsg", () -> s.sendmsg(-1, 0, 0));
    List<String> wrong = new ArrayList<>();
    calls.forEach(
        (name, call) -> {
          long result = call.getAsLong();
          if (!Errno.EBADF.is(result)) {
            wrong.add(name + " returned " + result);
          }
        });
    assertEquals(List.of(), wrong);
  }

  @Test
  default void pollOfMoreFdsThanAllowedReturnsEinval() {
    Seam.fails(Errno.EINVAL, syscalls().poll(0, Integer.MAX_VALUE, 0));
  }

  @Test
  default void epollPwait2OfABadFdReturnsItsErrno() {
    int result = syscalls().epollPwait2(-1, 0, 1, 0);
    assertEquals(true, Errno.EBADF.is(result) || Errno.ENOSYS.is(result), "result " + result);
  }

  @Test
  default void errnosOfManyThreadsAreNeverMixedUp() throws Exception {
    runFailures(runnable -> new Thread(runnable, "errno"), 8, 2000);
  }

  @Test
  default void errnosOfManyVirtualThreadsAreNeverMixedUp() throws Exception {
    assumeTrue(Runtime.version().feature() >= 21, "virtual threads are of JDK 21");
    runFailures(ErrnoContract::virtualThread, 200, 200);
  }

  private static Thread virtualThread(Runnable task) {
    try {
      Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
      return (Thread)
          Class.forName("java.lang.Thread$Builder")
              .getMethod("unstarted", Runnable.class)
              .invoke(builder, task);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("no Thread.ofVirtual", e);
    }
  }

  /** Each thread fails always in the same way, with others of another way around it. */
  private void runFailures(Function<Runnable, Thread> factory, int threads, int rounds)
      throws InterruptedException {
    try (Seam seam = new Seam(syscalls())) {
      List<Failure> failures = failures(seam);
      ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
      List<Thread> running =
          IntStream.range(0, threads)
              .mapToObj(i -> failures.get(i % failures.size()))
              .map(failure -> factory.apply(() -> failure.repeat(rounds, wrong)))
              .toList();
      running.forEach(Thread::start);
      for (Thread thread : running) {
        thread.join(30_000);
        assertEquals(Thread.State.TERMINATED, thread.getState());
      }
      assertEquals(List.of(), List.copyOf(wrong));
    }
  }

  record Failure(Errno expected, LongSupplier call) {
    void repeat(int rounds, ConcurrentLinkedQueue<String> wrong) {
      for (int i = 0; i < rounds; i++) {
        long result = call.getAsLong();
        if (!expected.is(result)) {
          wrong.add("expected " + expected + ", got " + result);
          return;
        }
        if (i % 16 == 0) {
          LockSupport.parkNanos(1); // a virtual thread leaves its carrier to another
        }
      }
    }
  }

  private List<Failure> failures(Seam seam) {
    Syscalls s = syscalls();
    int epfd = seam.epoll();
    int target = seam.eventfd(0);
    seam.add(epfd, target, Linux.EPOLLIN);
    int[] pipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
    int[] brokenPipe = seam.pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
    seam.closeNow(brokenPipe[0]);
    int socket = seam.socket(Linux.AF_INET, Linux.SOCK_STREAM);
    int devNull = seam.keep(check(C.open("/dev/null", 0)));
    return List.of(
        new Failure(Errno.EBADF, () -> s.close(-1)),
        new Failure(Errno.EINVAL, () -> s.epollCreate1(42)),
        new Failure(Errno.EAGAIN, () -> seam.readResult(pipe[0], 1)),
        new Failure(Errno.EPIPE, () -> seam.write(brokenPipe[1], (byte) 1)),
        new Failure(Errno.ENOTSOCK, () -> s.listen(pipe[0], 1)),
        new Failure(Errno.ENOTCONN, () -> s.shutdown(socket, Linux.SHUT_WR)),
        new Failure(Errno.EEXIST, () -> seam.ctl(epfd, Linux.EPOLL_CTL_ADD, target, 0, 0)),
        new Failure(Errno.ENOENT, () -> s.epollCtl(epfd, Linux.EPOLL_CTL_DEL, pipe[0], 0)),
        new Failure(Errno.EPERM, () -> seam.ctl(epfd, Linux.EPOLL_CTL_ADD, devNull, 0, 0)),
        new Failure(Errno.EAFNOSUPPORT, () -> s.socket(9999, Linux.SOCK_STREAM, 0)),
        new Failure(Errno.EFAULT, () -> s.pipe2(0, 0)));
  }
}
