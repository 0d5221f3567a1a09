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
}
