package dev.epoll.testing;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;

import dev.epoll.sys.Linux;
import dev.epoll.sys.Termios;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The kinds of fds that can be waited for, each as raw fds that are non-blocking. */
public enum FdKind {
  PIPE {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      return ends(fds.pipe());
    }
  },
  SOCKETPAIR {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      return ends(fds.socketpair());
    }
  },
  TCP {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      try (LoopbackFds loopback = new LoopbackFds()) {
        Fds.Pair pair = loopback.pair();
        return small(List.of(kept(fds, loopback, pair.a()), kept(fds, loopback, pair.b())));
      }
    }
  },
  UDP {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      try (LoopbackFds loopback = new LoopbackFds()) {
        int one = loopback.udp();
        int other = loopback.udp();
        LoopbackFds.startConnect(one, LoopbackFds.port(other));
        LoopbackFds.startConnect(other, LoopbackFds.port(one));
        return small(List.of(kept(fds, loopback, one), kept(fds, loopback, other)));
      }
    }
  },
  EVENTFD {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      return List.of(fds.eventfd(0));
    }

    @Override
    public void write(int fd, int bytes, Path directory) {
      // Half of what it counts to, so that the next but one would block.
      long value = bytes > 1 ? Long.MAX_VALUE : 1;
      C.write(fd, ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(value).array(), 8);
    }
  },
  TIMERFD {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      return List.of(
          fds.keep(C.timerfd_create(Linux.CLOCK_MONOTONIC, LibC.O_NONBLOCK | LibC.O_CLOEXEC)));
    }

    // It expires at once, or for bytes in plenty in a day.
    @Override
    public void write(int fd, int bytes, Path directory) {
      long[] spec = {0, 0, bytes > 1 ? 86_400 : 0, 1};
      check(C.timerfd_settime(fd, 0, spec, null));
    }
  },
  PTY {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      int flags = LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_NOCTTY;
      int master = fds.open("/dev/ptmx", flags);
      int[] number = {0};
      check(C.ioctl(master, Linux.TIOCSPTLCK, number));
      check(C.ioctl(master, Linux.TIOCGPTN, number));
      int slave = fds.open("/dev/pts/" + number[0], flags);
      byte[] settings = new byte[64];
      check(C.ioctl(slave, Linux.TCGETS, settings));
      ByteBuffer struct = ByteBuffer.wrap(settings).order(ByteOrder.nativeOrder());
      Termios.get(struct).raw().put(struct);
      check(C.ioctl(slave, Linux.TCSETS, settings));
      return List.of(master, slave);
    }
  },
  INOTIFY {
    @Override
    public List<Integer> open(Fds fds, Path directory) {
      int fd = fds.keep(C.inotify_init1(LibC.O_NONBLOCK | LibC.O_CLOEXEC));
      check(C.inotify_add_watch(fd, directory.toString(), Linux.IN_CREATE));
      return List.of(fd);
    }

    @Override
    public void write(int fd, int bytes, Path directory) throws IOException {
      Files.delete(Files.createTempFile(directory, "random", ""));
    }
  };

  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;
  private static final int SMALLEST = 1;

  /** One fd, or two that are each other's peers. */
  public abstract List<Integer> open(Fds fds, Path directory);

  /** Writes some or all of {@code bytes} bytes, or does what else there is to make it readable. */
  @SuppressWarnings("unused") // the directory is that which open() had; inotify needs it
  public void write(int fd, int bytes, Path directory) throws IOException {
    C.write(fd, new byte[bytes], bytes);
  }

  /** Whether shutdown(2) closes half of it. */
  public boolean isSocket() {
    return this == SOCKETPAIR || this == TCP || this == UDP;
  }

  /** Whether it is what {@code dev.epoll.net} awaits by edges. */
  public boolean isStreamSocket() {
    return this == SOCKETPAIR || this == TCP;
  }

  private static List<Integer> ends(Fds.Pair pair) {
    return List.of(pair.a(), pair.b());
  }

  private static int kept(Fds fds, LoopbackFds loopback, int fd) {
    return fds.keep(loopback.release(fd));
  }

  /** With as little room as the kernel gives, so that they are soon full. */
  private static List<Integer> small(List<Integer> sockets) {
    for (int fd : sockets) {
      LoopbackFds.set(fd, LoopbackFds.SOL_SOCKET, SO_SNDBUF, SMALLEST);
      LoopbackFds.set(fd, LoopbackFds.SOL_SOCKET, SO_RCVBUF, SMALLEST);
    }
    return sockets;
  }
}
