package dev.epoll.sys;

/**
 * Kernel numbers, grouped by the header that defines them. They are those of the generic ABI
 * (x86-64, aarch64, riscv64, s390x, loongarch64); CPUs with numbers of their own (mips, sparc,
 * alpha, and powerpc, whose terminals and SO_PEERCRED differ) are not supported.
 */
public final class Linux {
  private Linux() {}

  // uapi/linux/eventpoll.h
  public static final int EPOLL_CTL_ADD = 1;
  public static final int EPOLL_CTL_DEL = 2;
  public static final int EPOLL_CTL_MOD = 3;
  public static final int EPOLL_CLOEXEC = 0x80000;

  public static final int EPOLLIN = 0x001;
  public static final int EPOLLPRI = 0x002;
  public static final int EPOLLOUT = 0x004;
  public static final int EPOLLERR = 0x008;
  public static final int EPOLLHUP = 0x010;
  public static final int EPOLLRDNORM = 0x040;
  public static final int EPOLLRDBAND = 0x080;
  public static final int EPOLLWRNORM = 0x100;
  public static final int EPOLLWRBAND = 0x200;
  public static final int EPOLLMSG = 0x400;
  public static final int EPOLLRDHUP = 0x2000;
  public static final int EPOLLEXCLUSIVE = 1 << 28;
  public static final int EPOLLWAKEUP = 1 << 29;
  public static final int EPOLLONESHOT = 1 << 30;
  public static final int EPOLLET = 1 << 31;

  // asm-generic/poll.h: POLLIN .. POLLHUP and POLLRDHUP have the values of their EPOLL namesakes
  public static final int POLLNVAL = 0x020;

  // uapi/linux/eventfd.h
  public static final int EFD_SEMAPHORE = 1;
  public static final int EFD_CLOEXEC = 0x80000;
  public static final int EFD_NONBLOCK = 0x800;

  // uapi/linux/timerfd.h, time.h
  public static final int CLOCK_REALTIME = 0;
  public static final int CLOCK_MONOTONIC = 1;
  public static final int CLOCK_BOOTTIME = 7;
  public static final int TFD_NONBLOCK = 0x800;
  public static final int TFD_CLOEXEC = 0x80000;
  public static final int TFD_TIMER_ABSTIME = 1;
  public static final int TFD_TIMER_CANCEL_ON_SET = 2;

  // uapi/linux/inotify.h
  public static final int IN_NONBLOCK = 0x800;
  public static final int IN_CLOEXEC = 0x80000;
  public static final int IN_ACCESS = 0x001;
  public static final int IN_MODIFY = 0x002;
  public static final int IN_ATTRIB = 0x004;
  public static final int IN_CLOSE_WRITE = 0x008;
  public static final int IN_CLOSE_NOWRITE = 0x010;
  public static final int IN_OPEN = 0x020;
  public static final int IN_MOVED_FROM = 0x040;
  public static final int IN_MOVED_TO = 0x080;
  public static final int IN_CREATE = 0x100;
  public static final int IN_DELETE = 0x200;
  public static final int IN_DELETE_SELF = 0x400;
  public static final int IN_MOVE_SELF = 0x800;
  public static final int IN_UNMOUNT = 0x2000;
  public static final int IN_Q_OVERFLOW = 0x4000;
  public static final int IN_IGNORED = 0x8000;
  public static final int IN_ONLYDIR = 0x01000000;
  public static final int IN_DONT_FOLLOW = 0x02000000;
  public static final int IN_EXCL_UNLINK = 0x04000000;
  public static final int IN_MASK_CREATE = 0x10000000;
  public static final int IN_MASK_ADD = 0x20000000;
  public static final int IN_ISDIR = 0x40000000;
  public static final int IN_ONESHOT = 0x80000000;

  // uapi/linux/signalfd.h
  public static final int SFD_NONBLOCK = 0x800;
  public static final int SFD_CLOEXEC = 0x80000;

  // asm/unistd.h: calls as old as these have numbers of their own on x86-64 and s390x
  static final int SYS_SENDTO = callNumber(System.getProperty("os.arch", ""), 44, 369, 206);
  static final int SYS_RECVFROM = callNumber(System.getProperty("os.arch", ""), 45, 371, 207);

  private static int callNumber(String arch, int amd64, int s390x, int generic) {
    return switch (arch) {
      case "amd64" -> amd64;
      case "s390x" -> s390x;
      default -> generic;
    };
  }

  // uapi/linux/pidfd.h; the numbers of calls since 5.1 are the same on every CPU
  public static final int PIDFD_NONBLOCK = 0x800;
  public static final int SYS_PIDFD_SEND_SIGNAL = 424;
  public static final int SYS_PIDFD_OPEN = 434;

  // asm-generic/ioctls.h, termbits.h
  public static final int TCGETS = 0x5401;
  public static final int TCSETS = 0x5402;
  public static final int TIOCGWINSZ = 0x5413;
  public static final int TIOCSWINSZ = 0x5414;
  public static final int TIOCSPTLCK = 0x40045431;
  public static final int TIOCGPTN = 0x80045430;

  // asm-generic/fcntl.h
  public static final int O_RDONLY = 0;
  public static final int O_RDWR = 2;
  public static final int O_NOCTTY = 0x100;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_CLOEXEC = 0x80000;
  public static final int F_GETFD = 1;
  public static final int F_SETFD = 2;
  public static final int F_GETFL = 3;
  public static final int F_SETFL = 4;
  public static final int F_GETPIPE_SZ = 1032;
  public static final int FD_CLOEXEC = 1;
  public static final int SEEK_END = 2;

  // uapi/linux/limits.h
  public static final int PIPE_BUF = 4096;

  // linux/socket.h, asm-generic/socket.h
  public static final int AF_UNSPEC = 0;
  public static final int AF_UNIX = 1;
  public static final int AF_INET = 2;
  public static final int AF_INET6 = 10;
  public static final int SOCK_STREAM = 1;
  public static final int SOCK_DGRAM = 2;
  public static final int SOCK_NONBLOCK = 0x800;
  public static final int SOCK_CLOEXEC = 0x80000;
  public static final int MSG_OOB = 1;
  public static final int MSG_PEEK = 2;
  public static final int MSG_CTRUNC = 8;
  public static final int MSG_TRUNC = 0x20;
  public static final int MSG_DONTWAIT = 0x40;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;
  public static final int SCM_RIGHTS = 1;
  public static final int SHUT_RD = 0;
  public static final int SHUT_WR = 1;
  public static final int SOL_SOCKET = 1;
  public static final int SO_REUSEADDR = 2;
  public static final int SO_TYPE = 3;
  public static final int SO_ERROR = 4;
  public static final int SO_BROADCAST = 6;
  public static final int SO_SNDBUF = 7;
  public static final int SO_RCVBUF = 8;
  public static final int SO_KEEPALIVE = 9;
  public static final int SO_OOBINLINE = 10;
  public static final int SO_LINGER = 13;
  public static final int SO_REUSEPORT = 15;
  public static final int SO_PEERCRED = 17;
  public static final int SO_ACCEPTCONN = 30;
  public static final int SO_DOMAIN = 39;

  // uapi/linux/in.h, in6.h, tcp.h
  public static final int IPPROTO_IP = 0;
  public static final int IPPROTO_TCP = 6;
  public static final int IPPROTO_IPV6 = 41;
  public static final int IPV6_V6ONLY = 26;
  public static final int IP_TOS = 1;
  public static final int IP_MULTICAST_IF = 32;
  public static final int IP_MULTICAST_TTL = 33;
  public static final int IP_MULTICAST_LOOP = 34;
  public static final int IPV6_MULTICAST_IF = 17;
  public static final int IPV6_MULTICAST_HOPS = 18;
  public static final int IPV6_MULTICAST_LOOP = 19;
  public static final int IPV6_TCLASS = 67;
  public static final int MCAST_JOIN_GROUP = 42;
  public static final int MCAST_LEAVE_GROUP = 45;
  public static final int TCP_NODELAY = 1;
  public static final int TCP_KEEPIDLE = 4;
  public static final int TCP_KEEPINTVL = 5;
  public static final int TCP_KEEPCNT = 6;
}
