package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** open, lseek, fchmod, ioctl and sendfile, told by what they do. */
interface FileCallsContract {
  int O_WRONLY_CREAT = 0101;
  int FIONREAD = 0x541b;

  Syscalls syscalls();

  private static int open(Seam seam, Path path, int flags, int mode) {
    NativeMemory name = seam.allocate(4096);
    assertTrue(FileNames.put(name, path.toString()));
    return (int) seam.with(name, at -> seam.syscalls.open(at, flags, mode));
  }

  @Test
  default void openTakesFlagsAndMode(@TempDir Path directory) throws IOException {
    try (Seam seam = new Seam(syscalls())) {
      Path path = directory.resolve("new-\u00e4");
      Seam.fails(Errno.ENOENT, open(seam, path, Linux.O_RDONLY, 0));
      int made = seam.keep(open(seam, path, O_WRONLY_CREAT | Linux.O_CLOEXEC, 0400));
      assertTrue(Seam.isCloseOnExec(made));
      assertEquals("r--------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
      seam.write(made, Seam.text("text"));
      int plain = seam.keep(open(seam, path, Linux.O_RDONLY, 0));
      assertFalse(Seam.isCloseOnExec(plain));
      Seam.assertBytes("text", seam.read(plain, 9));
    }
  }

  @Test
  default void lseekMovesAndTellsTheEnd(@TempDir Path directory) throws IOException {
    try (Seam seam = new Seam(syscalls())) {
      Path path = Files.write(directory.resolve("file"), new byte[1234]);
      int fd = seam.keep(open(seam, path, Linux.O_RDONLY, 0));
      assertEquals(1234, syscalls().lseek(fd, 0, Linux.SEEK_END));
      assertEquals(1L << 40, syscalls().lseek(fd, 1L << 40, 0));
      Seam.fails(Errno.ESPIPE, syscalls().lseek(seam.pipe(0)[0], 0, Linux.SEEK_END));
    }
  }

  @Test
  default void fchmodSetsTheMode(@TempDir Path directory) throws IOException {
    try (Seam seam = new Seam(syscalls())) {
      Path path = Files.write(directory.resolve("file"), new byte[0]);
      int fd = seam.keep(open(seam, path, Linux.O_RDONLY, 0));
      Seam.ok(syscalls().fchmod(fd, 0751));
      assertEquals("rwxr-x--x", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
      Seam.fails(Errno.EBADF, syscalls().fchmod(-1, 0));
    }
  }

  @Test
  default void ioctlFillsItsArgument() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pipe = seam.pipe(0);
      seam.write(pipe[1], Seam.text("12345"));
      NativeMemory count = seam.ints(-1);
      Seam.ok(seam.with(count, at -> syscalls().ioctl(pipe[0], FIONREAD, at)));
      assertEquals(5, count.buffer().getInt(0));
      Seam.fails(Errno.ENOTTY, seam.with(count, at -> syscalls().ioctl(pipe[0], Linux.TCGETS, at)));
    }
  }

  @Test
  default void sendfileMovesFromItsOffset(@TempDir Path directory) throws IOException {
    try (Seam seam = new Seam(syscalls())) {
      Path path = Files.writeString(directory.resolve("file"), "0123456789");
      int file = seam.keep(open(seam, path, Linux.O_RDONLY, 0));
      int[] pipe = seam.pipe(LibC.O_NONBLOCK);
      NativeMemory offset = seam.allocate(Long.BYTES);
      offset.buffer().putLong(0, 3);
      assertEquals(4, seam.with(offset, at -> syscalls().sendfile(pipe[1], file, at, 4)));
      assertEquals(7, offset.buffer().getLong(0));
      Seam.assertBytes("3456", seam.read(pipe[0], 9));
    }
  }
}
