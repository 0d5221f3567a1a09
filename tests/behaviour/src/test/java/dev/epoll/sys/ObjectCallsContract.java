package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Timers, inotify, signals and processes as descriptors, told by what the calls do. */
interface ObjectCallsContract {
  int SIGSET_SIZE = 128;
  int SIGKILL = 9;

  Syscalls syscalls();

  @Test
  default void timerfdCreateTakesClockAndFlags() {
    try (Seam seam = new Seam(syscalls())) {
      int plain = seam.keep(syscalls().timerfdCreate(Linux.CLOCK_MONOTONIC, 0));
      assertFalse(Seam.isCloseOnExec(plain));
      int flagged =
          seam.keep(
              syscalls()
                  .timerfdCreate(Linux.CLOCK_BOOTTIME, Linux.TFD_CLOEXEC | Linux.TFD_NONBLOCK));
      assertTrue(Seam.isCloseOnExec(flagged));
      assertTrue(Seam.isNonBlocking(flagged));
      Seam.fails(Errno.EINVAL, syscalls().timerfdCreate(-1, 0));
      Seam.fails(Errno.EINVAL, syscalls().timerfdCreate(Linux.CLOCK_MONOTONIC, -1));
    }
  }

  @Test
  @Conformance({205, 206})
  default void timerfdSettimeArmsAndGettimeTells() {
    try (Seam seam = new Seam(syscalls())) {
      int timer = seam.keep(syscalls().timerfdCreate(Linux.CLOCK_MONOTONIC, Linux.TFD_NONBLOCK));
      NativeMemory old = seam.allocate(32);
      NativeMemory setting = seam.allocate(32);
      setting.buffer().putLong(0, 70).putLong(16, 1000);
      for (int i = 0; i < 2; i++) {
        Seam.ok(settime(seam, timer, 0, setting, old));
      }
      assertEquals(70, old.buffer().getLong(0), "period of the setting before");
      NativeMemory current = seam.allocate(32);
      Seam.ok(seam.with(current, at -> syscalls().timerfdGettime(timer, at)));
      assertEquals(70, current.buffer().getLong(0));
      assertTrue(current.buffer().getLong(16) <= 1000 && current.buffer().getLong(16) > 0);
      setting.buffer().putLong(0, 0).putLong(16, 0).putLong(24, 1);
      Seam.ok(settime(seam, timer, Linux.TFD_TIMER_ABSTIME, setting, old));
      assertEquals(1, seam.readLong(timer), "a time in the past has expired");
      Seam.fails(Errno.EINVAL, settime(seam, timer, -1, setting, old));
      for (long nanos : new long[] {-1, 1_000_000_000}) {
        for (int at : new int[] {8, 24}) {
          setting.buffer().putLong(8, 0).putLong(24, 1).putLong(at, nanos);
          Seam.fails(Errno.EINVAL, settime(seam, timer, 0, setting, old));
        }
      }
      setting.buffer().putLong(16, -1).putLong(24, 0);
      Seam.fails(Errno.EINVAL, settime(seam, timer, 0, setting, old));
      setting.buffer().putLong(16, 1);
      int pipe = seam.pipe(0)[0];
      setting.buffer().putLong(24, 0);
      Seam.fails(Errno.EINVAL, settime(seam, pipe, 0, setting, old));
      Seam.fails(Errno.EBADF, settime(seam, -1, 0, setting, old));
      Seam.fails(Errno.EINVAL, seam.with(current, at -> syscalls().timerfdGettime(pipe, at)));
      Seam.fails(Errno.EBADF, seam.with(current, at -> syscalls().timerfdGettime(-1, at)));
    }
  }

  private static long settime(
      Seam seam, int fd, int flags, NativeMemory setting, NativeMemory old) {
    return seam.with(
        setting, at -> seam.with(old, oldAt -> seam.syscalls.timerfdSettime(fd, flags, at, oldAt)));
  }

  @Test
  default void inotifyAddsAndRemovesWatches(@TempDir Path directory) throws IOException {
    try (Seam seam = new Seam(syscalls())) {
      assertTrue(Seam.isCloseOnExec(seam.keep(syscalls().inotifyInit1(Linux.IN_CLOEXEC))));
      int inotify = seam.keep(syscalls().inotifyInit1(Linux.IN_NONBLOCK));
      assertFalse(Seam.isCloseOnExec(inotify));
      NativeMemory name = seam.allocate(4096);
      FileNames.put(name, directory.toString());
      int watch =
          Seam.ok(seam.with(name, at -> syscalls().inotifyAddWatch(inotify, at, Linux.IN_CREATE)));
      Files.createFile(directory.resolve("made"));
      byte[] event = seam.read(inotify, 200);
      assertEquals(watch, event[0]);
      Seam.ok(syscalls().inotifyRmWatch(inotify, watch));
      Seam.fails(Errno.EINVAL, syscalls().inotifyRmWatch(inotify, watch));
      FileNames.put(name, directory.resolve("none").toString());
      Seam.fails(
          Errno.ENOENT,
          seam.with(name, at -> syscalls().inotifyAddWatch(inotify, at, Linux.IN_CREATE)));
      Seam.fails(Errno.EINVAL, syscalls().inotifyInit1(42));
    }
  }

  @Test
  default void signalfdTakesMaskAndFlags() {
    try (Seam seam = new Seam(syscalls())) {
      NativeMemory none = seam.allocate(SIGSET_SIZE);
      int plain = seam.keep((int) seam.with(none, at -> syscalls().signalfd(-1, at, 0)));
      assertFalse(Seam.isCloseOnExec(plain));
      int flags = Linux.SFD_CLOEXEC | Linux.SFD_NONBLOCK;
      int flagged = seam.keep((int) seam.with(none, at -> syscalls().signalfd(-1, at, flags)));
      assertTrue(Seam.isCloseOnExec(flagged));
      Seam.fails(Errno.EAGAIN, seam.readResult(flagged, 128));
      assertEquals(flagged, seam.with(none, at -> syscalls().signalfd(flagged, at, 0)));
      Seam.fails(Errno.EINVAL, seam.with(none, at -> syscalls().signalfd(seam.pipe(0)[0], at, 0)));
    }
  }

  @Test
  default void pidfdsOpenAndSendSignals() throws IOException, InterruptedException {
    try (Seam seam = new Seam(syscalls())) {
      Process child = new ProcessBuilder("sleep", "1000").start();
      int pidfd = seam.keep(syscalls().pidfdOpen((int) child.pid(), Linux.PIDFD_NONBLOCK));
      assertTrue(Seam.isCloseOnExec(pidfd));
      assertTrue(Seam.isNonBlocking(pidfd));
      Seam.ok(syscalls().pidfdSendSignal(pidfd, 0));
      assertTrue(child.isAlive());
      Seam.ok(syscalls().pidfdSendSignal(pidfd, SIGKILL));
      assertEquals(128 + SIGKILL, child.waitFor());
      Seam.fails(Errno.ESRCH, syscalls().pidfdSendSignal(pidfd, 0));
      Seam.fails(Errno.EINVAL, syscalls().pidfdOpen(-1, 0));
    }
  }
}
