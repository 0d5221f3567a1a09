package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.PollFd;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.time.Duration;

/**
 * A process, whether a child of this one or not, as a descriptor: readable once it has exited. It
 * goes on meaning that process when its pid has been given to another; see <a
 * href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a> (Linux 5.10).
 *
 * <p>The exit code is told to the parent only: {@link ChildProcess} has that of a child.
 *
 * <p>Kernel: readable from the exit of its last thread on, while it is a zombie too. Once it has
 * been reaped it is hung up as well, since Linux 6.9.
 */
public final class PidFd extends AwaitableFd {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private final int pid;

  private PidFd(Poller poller, OwnedFd fd, int pid) throws IOException {
    super(poller, fd);
    this.pid = pid;
  }

  /**
   * The process that has {@code pid} now. Whoever knows a pid from before makes sure that it is
   * still the process that was meant, for example by its parent or start time.
   *
   * @param pid a process, not one of its threads
   * @throws IllegalArgumentException if {@code pid} cannot be one
   * @throws SyscallException ESRCH: no process has it; EINVAL or ENOENT: it is a thread's; EMFILE
   *     or ENFILE; ENOSYS before Linux 5.3
   * @throws IOException as {@link Poller#register}
   */
  public static PidFd open(Poller poller, long pid) throws IOException {
    if (pid <= 0 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("no process has pid " + pid + ": give 1 or more");
    }
    int fd = SYSCALLS.pidfdOpen((int) pid, Linux.PIDFD_NONBLOCK);
    if (fd < 0) {
      throw new SyscallException("pidfd_open", -fd, -1, advice(fd, pid));
    }
    return new PidFd(poller, OwnedFd.owned(fd), (int) pid);
  }

  private static String advice(int result, long pid) {
    if (Errno.ESRCH.is(result)) {
      return "no process has pid " + pid + ", it may have exited and been reaped";
    }
    if (Errno.EINVAL.is(result) || Errno.ENOENT.is(result)) {
      return pid + " is a thread and no process, or Linux is older than 5.10";
    }
    return Errno.ENOSYS.is(result) ? "it needs Linux 5.10" : "";
  }

  /** The pid that the process has, or had. */
  public int pid() {
    return pid;
  }

  /**
   * Whether the process has exited. Never waits.
   *
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public boolean hasExited() throws IOException {
    return call("poll", fd -> PollFd.ask(SYSCALLS, fd, Linux.EPOLLIN)) > 0;
  }

  /**
   * Sends {@code signal} to the process, and to no other that has its pid by now. Never waits.
   *
   * @return false if it is gone: it has exited and been reaped. One that has exited and was not
   *     reaped takes any signal, which does nothing
   * @throws SyscallException EPERM: it belongs to another user
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public boolean send(Signal signal) throws IOException {
    int number = signal.number();
    return call("pidfd_send_signal", fd -> goneOr(SYSCALLS.pidfdSendSignal(fd, number))) == 0;
  }

  private static int goneOr(int result) {
    return Errno.ESRCH.is(result) ? 1 : result;
  }

  /**
   * Makes the calling thread wait until the process has exited; a virtual thread leaves its carrier
   * to others.
   *
   * @throws InterruptedException as {@link dev.epoll.Registration#blockUntil(Interest)}
   * @throws IOException as {@link dev.epoll.Registration#blockUntil(Interest)}
   */
  public void blockUntilExit() throws IOException, InterruptedException {
    registration().blockUntil(Interest.READABLE);
  }

  /**
   * The same, until {@code timeout} has passed, never less.
   *
   * @return false if the process still ran then
   * @throws InterruptedException as {@link dev.epoll.Registration#blockUntil(Interest, Duration)}
   * @throws IOException as {@link dev.epoll.Registration#blockUntil(Interest, Duration)}
   */
  public boolean blockUntilExit(Duration timeout) throws IOException, InterruptedException {
    return !registration().blockUntil(Interest.READABLE, timeout).isNone();
  }
}
