package dev.epoll.sys;

import static dev.epoll.sys.Linux.EPOLLIN;
import static dev.epoll.sys.Linux.EPOLLOUT;
import static dev.epoll.sys.Linux.EPOLL_CTL_ADD;
import static dev.epoll.sys.Linux.EPOLL_CTL_DEL;
import static dev.epoll.sys.Linux.EPOLL_CTL_MOD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.epoll.sys.Seam.Event;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** epoll_create1, epoll_ctl, epoll_wait and epoll_pwait2, told by what they do. */
interface EpollCallsContract {
  Syscalls syscalls();

  @Test
  @Conformance(1)
  default void epollCreate1SetsCloseOnExecExactlyWhenAsked() throws Exception {
    try (Seam seam = new Seam(syscalls())) {
      int with = seam.keep(syscalls().epollCreate1(Linux.EPOLL_CLOEXEC));
      int without = seam.keep(syscalls().epollCreate1(0));
      assertTrue(Seam.isCloseOnExec(with));
      assertFalse(Seam.isCloseOnExec(without));
      Path link = Files.readSymbolicLink(Path.of("/proc/self/fd/" + without));
      assertEquals("anon_inode:[eventpoll]", link.toString());
    }
  }

  @Test
  @Conformance(2)
  default void epollCreate1RefusesUnknownFlags() {
    int before = Fds.count();
    for (int flags : new int[] {-1, 42, Linux.EPOLL_CLOEXEC + 1}) {
      Seam.fails(Errno.EINVAL, syscalls().epollCreate1(flags));
    }
    assertEquals(before, Fds.count());
  }

  @Test
  @Conformance(20)
  default void epollCtlAddsModifiesAndRemoves() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epoll();
      int target = seam.eventfd(1);
      Seam.ok(seam.ctl(epfd, EPOLL_CTL_ADD, target, EPOLLIN, 0x8765_4321_0fed_cba9L));
      assertEquals(List.of(new Event(EPOLLIN, 0x8765_4321_0fed_cba9L)), seam.wait(epfd, 4, 0));
      Seam.ok(seam.ctl(epfd, EPOLL_CTL_MOD, target, EPOLLOUT, 2));
      assertEquals(List.of(new Event(EPOLLOUT, 2)), seam.wait(epfd, 4, 0));
      Seam.ok(seam.ctl(epfd, EPOLL_CTL_DEL, target, 0, 0));
      assertEquals(List.of(), seam.wait(epfd, 4, 0));
    }
  }

  @Test
  default void epollCtlTakesNoEventToRemove() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epoll();
      int target = seam.eventfd(1);
      seam.add(epfd, target, EPOLLIN);
      Seam.ok(syscalls().epollCtl(epfd, EPOLL_CTL_DEL, target, 0));
      Seam.fails(Errno.ENOENT, syscalls().epollCtl(epfd, EPOLL_CTL_DEL, target, 0));
    }
  }

  @Test
  default void epollWaitReturnsAtMostMaxEvents() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epoll();
      IntStream.range(0, 3).forEach(i -> seam.add(epfd, seam.eventfd(1), EPOLLIN));
      assertEquals(2, seam.wait(epfd, 2, -1).size());
      assertEquals(3, seam.wait(epfd, 8, -1).size());
      Seam.fails(Errno.EINVAL, seam.waitResult(epfd, 0, 0));
      Seam.fails(Errno.EINVAL, seam.waitResult(epfd, -1, 0));
    }
  }

  @Test
  default void epollWaitEndsByItsTimeoutAndNeverEarly() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epoll();
      long start = System.nanoTime();
      assertEquals(0, seam.waitResult(epfd, 1, 20));
      assertTrue(System.nanoTime() - start >= 20_000_000);
    }
  }

  @Test
  default void epollWaitWithoutTimeoutEndsByAnEvent() throws Exception {
    try (Seam seam = new Seam(syscalls())) {
      int target = seam.eventfd(0);
      int epfd = seam.epollOver(target, EPOLLIN);
      InThread<List<Event>> waiting = InThread.start("waits", () -> seam.wait(epfd, 1, -1));
      waiting.asleep();
      seam.writeLong(target, 1);
      assertEquals(List.of(new Event(EPOLLIN, target)), waiting.get());
    }
  }

  @Test
  @Conformance(268)
  default void epollPwait2IsNeverEarly() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epoll();
      assumePwait2(seam, epfd);
      long start = System.nanoTime();
      assertEquals(0, seam.pwait2Result(epfd, 0, 20_000_001));
      assertTrue(System.nanoTime() - start >= 20_000_001);
    }
  }

  @Test
  @Conformance(269)
  default void epollPwait2WaitsForLessThanAMillisecond() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epoll();
      assumePwait2(seam, epfd);
      Eventually.until(
          "a wait of 100 us takes less than 1 ms",
          () -> {
            long start = System.nanoTime();
            assertEquals(0, seam.pwait2Result(epfd, 0, 100_000));
            long nanos = System.nanoTime() - start;
            assertTrue(nanos >= 100_000);
            return nanos < 1_000_000;
          });
    }
  }

  @Test
  @Conformance(53)
  default void epollPwait2RefusesAMalformedTimespecAlthoughAnEventIsReady() {
    try (Seam seam = new Seam(syscalls())) {
      int epfd = seam.epollOver(seam.eventfd(1), EPOLLIN);
      assumePwait2(seam, epfd);
      Seam.fails(Errno.EINVAL, seam.pwait2Result(epfd, -1, 0));
      Seam.fails(Errno.EINVAL, seam.pwait2Result(epfd, 0, -1));
      Seam.fails(Errno.EINVAL, seam.pwait2Result(epfd, 0, 1_000_000_000));
      assertEquals(1, seam.pwait2Result(epfd, 0, 999_999_999));
    }
  }

  private static void assumePwait2(Seam seam, int epfd) {
    assumeFalse(Errno.ENOSYS.is(seam.pwait2Result(epfd, 0, 0)), "no epoll_pwait2 here");
  }
}
