package dev.epoll.sys;

import java.nio.ByteBuffer;

/**
 * The libc calls that this library makes, one method each. Every method returns a value {@code >=
 * 0}, or {@code -errno}.
 *
 * <p>An argument of type {@code long} whose name ends in {@code Address} is a native address.
 * Whoever passes one keeps the memory reachable until the call is over ({@link
 * java.lang.ref.Reference#reachabilityFence}): nothing here can know which buffer an address
 * belongs to.
 *
 * <p>Thread: every method from any thread. Only {@link #epollWait} and {@link #epollPwait2} may
 * block for long.
 */
public interface Syscalls {
  /** The name that {@code -Ddev.epoll.backend} knows this implementation by. */
  String backend();

  /** The native address of the byte at {@code direct.position()}. */
  long addressOf(ByteBuffer direct);

  /** epoll_create1(2). */
  int epollCreate1(int flags);

  /** epoll_ctl(2). */
  int epollCtl(int epfd, int op, int fd, long eventAddress);

  /** epoll_wait(2). */
  int epollWait(int epfd, long eventsAddress, int maxEvents, int timeoutMillis);

  /** epoll_pwait2(2) with no signal mask; {@code -ENOSYS} where the kernel or libc lacks it. */
  int epollPwait2(int epfd, long eventsAddress, int maxEvents, long timespecAddress);

  /** poll(2). */
  int poll(long pollfdsAddress, int count, int timeoutMillis);

  /** eventfd(2). */
  int eventfd(int initialValue, int flags);

  /** pipe2(2); {@code fdsAddress} receives two ints. */
  int pipe2(long fdsAddress, int flags);

  /** fcntl(2) for the commands that take an int. */
  int fcntl(int fd, int command, int argument);

  /** close(2). */
  int close(int fd);

  /** read(2). */
  long read(int fd, long address, long count);

  /** write(2). */
  long write(int fd, long address, long count);

  /** socket(2). */
  int socket(int domain, int type, int protocol);

  /** bind(2). */
  int bind(int fd, long sockaddrAddress, int length);

  /** listen(2). */
  int listen(int fd, int backlog);

  /** accept4(2); either both addresses are given or both are 0. */
  int accept4(int fd, long sockaddrAddress, long lengthAddress, int flags);

  /** connect(2). */
  int connect(int fd, long sockaddrAddress, int length);

  /** getsockname(2). */
  int getsockname(int fd, long sockaddrAddress, long lengthAddress);

  /** getpeername(2). */
  int getpeername(int fd, long sockaddrAddress, long lengthAddress);

  /** getsockopt(2). */
  int getsockopt(int fd, int level, int option, long valueAddress, long lengthAddress);

  /** setsockopt(2). */
  int setsockopt(int fd, int level, int option, long valueAddress, int length);

  /** shutdown(2). */
  int shutdown(int fd, int how);

  /** send(2). */
  long send(int fd, long address, long count, int flags);

  /** sendmsg(2). */
  long sendmsg(int fd, long msghdrAddress, int flags);

  /** open(2); {@code pathAddress} is a C string. */
  int open(long pathAddress, int flags, int mode);

  /** lseek(2). */
  long lseek(int fd, long offset, int whence);

  /** fchmod(2). */
  int fchmod(int fd, int mode);

  /** ioctl(2) for the requests that take a pointer. */
  int ioctl(int fd, long request, long argumentAddress);

  /** sendfile(2); {@code offsetAddress} is that of a long. */
  long sendfile(int outFd, int inFd, long offsetAddress, long count);

  /** timerfd_create(2). */
  int timerfdCreate(int clock, int flags);

  /** timerfd_settime(2); {@code oldAddress} may be 0. */
  int timerfdSettime(int fd, int flags, long newAddress, long oldAddress);

  /** timerfd_gettime(2). */
  int timerfdGettime(int fd, long currentAddress);

  /** inotify_init1(2). */
  int inotifyInit1(int flags);

  /** inotify_add_watch(2); {@code pathAddress} is a C string. */
  int inotifyAddWatch(int fd, long pathAddress, int mask);

  /** inotify_rm_watch(2). */
  int inotifyRmWatch(int fd, int watch);

  /** signalfd(2); {@code sigsetAddress} is that of a libc sigset_t, 128 bytes. */
  int signalfd(int fd, long sigsetAddress, int flags);

  /** socketpair(2); {@code fdsAddress} receives two ints. */
  int socketpair(int domain, int type, int protocol, long fdsAddress);

  /** recv(2). */
  long recv(int fd, long address, long count, int flags);

  /** recvmsg(2). */
  long recvmsg(int fd, long msghdrAddress, int flags);

  /** recvmmsg(2); {@code timespecAddress} may be 0. */
  int recvmmsg(int fd, long mmsghdrsAddress, int count, int flags, long timespecAddress);

  /** sendmmsg(2). */
  int sendmmsg(int fd, long mmsghdrsAddress, int count, int flags);

  /** pidfd_open(2). */
  int pidfdOpen(int pid, int flags);

  /** pidfd_send_signal(2) with no siginfo. */
  int pidfdSendSignal(int pidfd, int signal);
}
