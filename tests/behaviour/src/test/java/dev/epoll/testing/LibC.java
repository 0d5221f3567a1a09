package dev.epoll.testing;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/**
 * libc functions that only tests call, by their C names; they return -1 and set {@link #errno()}.
 */
public interface LibC {
  LibC C = LibraryLoader.create(LibC.class).load("c");

  int O_RDONLY = 0;
  int O_WRONLY = 1;
  int O_RDWR = 2;
  int O_NOCTTY = 0x100;
  int O_NONBLOCK = 0x800;
  int O_CLOEXEC = 0x80000;
  int O_PATH = 0x200000;
  int AF_UNIX = 1;
  int AF_INET = 2;
  int SOCK_STREAM = 1;
  int SOCK_DGRAM = 2;
  int SHUT_RD = 0;
  int SHUT_WR = 1;
  int SHUT_RDWR = 2;
  int MSG_OOB = 1;
  int F_GETFD = 1;
  int F_GETFL = 3;
  int F_SETFL = 4;
  int F_SETPIPE_SZ = 1031;
  int FD_CLOEXEC = 1;

  int open(String path, int flags);

  int close(int fd);

  int dup(int fd);

  int dup2(int oldFd, int newFd);

  int fcntl(int fd, int command, int argument);

  int pipe2(int[] fds, int flags);

  int socketpair(int domain, int type, int protocol, int[] fds);

  int socket(int domain, int type, int protocol);

  int shutdown(int fd, int how);

  int eventfd(int initialValue, int flags);

  int memfd_create(String name, int flags);

  int timerfd_create(int clock, int flags);

  int timerfd_settime(int fd, int flags, long[] spec, long[] old);

  int inotify_init1(int flags);

  int inotify_add_watch(int fd, String path, int mask);

  int ioctl(int fd, long request, int[] argument);

  int ioctl(int fd, long request, byte[] argument);

  int fchmod(int fd, int mode);

  int umask(int mode);

  int mkfifo(String path, int mode);

  long read(int fd, byte[] target, long count);

  long write(int fd, byte[] source, long count);

  long send(int fd, byte[] source, long count, int flags);

  long recv(int fd, byte[] target, long count, int flags);

  int setsockopt(int fd, int level, int option, int[] value, int length);

  int getpid();

  int tgkill(int pid, int tid, int signal);

  /** The errno of the calling thread's last failed call. */
  static int errno() {
    return Runtime.getRuntime(C).getLastError();
  }

  /** {@code result}, or an AssertionError that names the errno if it is negative. */
  static int check(long result) {
    if (result < 0) {
      throw new AssertionError("libc call failed with errno " + errno());
    }
    return (int) result;
  }
}
