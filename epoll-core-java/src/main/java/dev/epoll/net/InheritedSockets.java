package dev.epoll.net;

import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Sockets that whoever started this process made for it, as systemd does with socket activation:
 * see <a href="https://man7.org/linux/man-pages/man3/sd_listen_fds.3.html">sd_listen_fds(3)</a>. So
 * a service is restarted, or started by its first connection, without one being refused.
 *
 * <p>Each is taken over by the {@code adopt} of its kind: {@link TcpListener#adopt}, {@link
 * UnixListener#adopt}, {@link UdpSocket#adopt}, {@link UnixDatagramSocket#adopt}. What inetd(8)
 * passes is fd 0: {@link TcpStream#adopt} takes it.
 */
public final class InheritedSockets {
  private static final int FIRST_FD = 3;

  /** Kernel: no process has more descriptors, unless fs.nr_open is raised. */
  private static final int MAX_COUNT = 1 << 20;

  private InheritedSockets() {}

  /**
   * A socket that was passed.
   *
   * @param fd its number
   * @param name what the service calls it (FileDescriptorName=), or empty
   */
  public record Inherited(int fd, String name) {}

  /**
   * The sockets that were passed to this process, in their order; none if the environment does not
   * say that there are any, or says it of another process. They are made close-on-exec.
   *
   * @throws IllegalStateException if the environment is malformed
   * @throws SyscallException EBADF if one that is announced is not open
   */
  public static List<Inherited> passed() throws SyscallException {
    List<Inherited> passed = of(System.getenv(), ProcessHandle.current().pid());
    for (Inherited socket : passed) {
      int fd = socket.fd();
      int result = Backend.syscalls().fcntl(fd, Linux.F_SETFD, Linux.FD_CLOEXEC);
      SocketFd.check("fcntl(F_SETFD)", result, fd);
    }
    return passed;
  }

  static List<Inherited> of(Map<String, String> environment, long pid) {
    String count = environment.get("LISTEN_FDS");
    String forPid = environment.get("LISTEN_PID");
    if (count == null || forPid == null || number("LISTEN_PID", forPid) != pid) {
      return List.of();
    }
    long passedCount = number("LISTEN_FDS", count);
    if (passedCount > MAX_COUNT) {
      throw new IllegalStateException(
          "the environment has LISTEN_FDS=" + count + ": no process has so many descriptors");
    }
    String[] names = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
    List<Inherited> passed = new ArrayList<>();
    for (int i = 0; i < passedCount; i++) {
      passed.add(new Inherited(FIRST_FD + i, i < names.length ? names[i] : ""));
    }
    return List.copyOf(passed);
  }

  private static long number(String variable, String value) {
    try {
      return Integer.toUnsignedLong(Integer.parseUnsignedInt(value));
    } catch (NumberFormatException e) {
      throw new IllegalStateException(
          "the environment has " + variable + "=" + value + ": it must be a number", e);
    }
  }
}
