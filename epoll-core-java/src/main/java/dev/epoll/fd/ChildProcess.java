package dev.epoll.fd;

import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import org.jspecify.annotations.Nullable;

/**
 * A child process whose standard streams are pipes that can be awaited, so that no thread has to
 * read them. Whoever wants it to exit reads its outputs: a child that fills a pipe waits.
 *
 * <p>The program, and where a stream goes that is no pipe, is the {@link ProcessBuilder}'s to say:
 *
 * <table>
 *   <caption>Which streams are pipes</caption>
 *   <tr><td>{@code Redirect.PIPE}, the default</td><td>a pipe here</td></tr>
 *   <tr><td>any other redirect</td><td>as the builder says, and not offered here</td></tr>
 *   <tr><td>{@code redirectErrorStream(true)}</td><td>stderr goes where stdout goes</td></tr>
 * </table>
 *
 * <p>What the child started itself may have inherited its streams: an output ends when the last of
 * them has closed it, not when the child exits.
 *
 * <p>Thread: every method from any. The JDK waits for each child in a small thread of its own, from
 * which {@link #process()} has the exit code.
 */
public final class ChildProcess implements AutoCloseable {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  /** What ProcessBuilder opens for a start: three ends for the child, and two pipes of its own. */
  private static final int NUMBERS_FOR_THE_JDK = 7;

  private final Process process;
  private final Pipe.@Nullable Sink stdin;
  private final Pipe.@Nullable Source stdout;
  private final Pipe.@Nullable Source stderr;

  private ChildProcess(
      Process process,
      Pipe.@Nullable Sink stdin,
      Pipe.@Nullable Source stdout,
      Pipe.@Nullable Source stderr) {
    this.process = process;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /**
   * Starts {@code builder}'s program, and leaves {@code builder} as it was. Returns when the
   * program runs, which takes some milliseconds.
   *
   * @throws IOException if the program cannot be started, as {@link ProcessBuilder#start}; nothing
   *     is left behind
   * @throws SyscallException EMFILE or ENFILE: it needs ten descriptors, and keeps up to three
   */
  public static ChildProcess start(Poller poller, ProcessBuilder builder) throws IOException {
    // Two starts of one builder at the same time would take each other's pipes.
    synchronized (builder) {
      Redirect input = builder.redirectInput();
      Redirect output = builder.redirectOutput();
      Redirect error = builder.redirectError();
      Pipe.Sink stdin = null;
      Pipe.Source stdout = null;
      Pipe.Source stderr = null;
      try {
        if (isPipe(input)) {
          stdin = sink(poller);
          builder.redirectInput(otherEnd(stdin));
        }
        if (isPipe(output)) {
          stdout = source(poller);
          builder.redirectOutput(otherEnd(stdout));
        }
        if (isPipe(error) && !builder.redirectErrorStream()) {
          stderr = source(poller);
          builder.redirectError(otherEnd(stderr));
        }
        ensureNumbersAreFree();
        return new ChildProcess(builder.start(), stdin, stdout, stderr);
      } catch (Throwable e) {
        close(stdin, stdout, stderr);
        throw e;
      } finally {
        builder.redirectInput(input).redirectOutput(output).redirectError(error);
      }
    }
  }

  /**
   * Fails where ProcessBuilder would. A JDK 25 that finds no number for its own pipes closes some
   * that it did not open, such as 0, which may be anybody's.
   */
  private static void ensureNumbersAreFree() throws SyscallException {
    int[] fds = new int[NUMBERS_FOR_THE_JDK];
    int count = 0;
    try {
      while (count < fds.length) {
        int fd = SYSCALLS.eventfd(0, Linux.EFD_CLOEXEC);
        if (fd < 0) {
          throw new SyscallException("eventfd", -fd, -1, "starting a process needs more of them");
        }
        fds[count++] = fd;
      }
    } finally {
      while (count > 0) {
        // Kernel: the number is free whatever close(2) returns.
        int ignored = SYSCALLS.close(fds[--count]);
      }
    }
  }

  private static boolean isPipe(Redirect redirect) {
    return redirect.type() == Redirect.Type.PIPE;
  }

  private static Pipe.Sink sink(Poller poller) throws IOException {
    Pipe pipe = Pipe.open(poller);
    pipe.source().close();
    return pipe.sink();
  }

  private static Pipe.Source source(Poller poller) throws IOException {
    Pipe pipe = Pipe.open(poller);
    pipe.sink().close();
    return pipe.source();
  }

  /**
   * What ProcessBuilder opens for the child.
   *
   * <p>Kernel: opening the /proc name of either end opens the end that the open asks for, as an
   * open file of its own; so the child's end is in blocking mode, as programs expect, while ours is
   * not (proc_pid_fd(5)). It does not wait, because the other end is open.
   */
  private static File otherEnd(AwaitableFd end) {
    return new File("/proc/self/fd/" + end.fd());
  }

  /** The JDK's view of the child: exit code, descendants, {@link Process#waitFor()}. */
  public Process process() {
    return process;
  }

  /** The child's pid. */
  public long pid() {
    return process.pid();
  }

  /**
   * The pipe to the child's standard input. Closing it is how the child sees the end of its input;
   * writing fails with EPIPE when nobody will read any more.
   *
   * @throws IllegalStateException if the builder redirected it
   */
  public Pipe.Sink stdin() {
    return offered(stdin, "stdin", "redirectInput(PIPE)");
  }

  /**
   * The pipe of the child's standard output.
   *
   * @throws IllegalStateException if the builder redirected it
   */
  public Pipe.Source stdout() {
    return offered(stdout, "stdout", "redirectOutput(PIPE)");
  }

  /**
   * The pipe of the child's standard error.
   *
   * @throws IllegalStateException if the builder redirected it
   */
  public Pipe.Source stderr() {
    return offered(stderr, "stderr", "redirectError(PIPE) and redirectErrorStream(false)");
  }

  private static <T> T offered(@Nullable T end, String name, String remedy) {
    if (end == null) {
      throw new IllegalStateException(
          name + " is redirected and no pipe: start the process with " + remedy);
    }
    return end;
  }

  /**
   * Kills the child if it still runs, with SIGKILL, and closes the pipes. Does not wait: the JDK
   * reaps the child as soon as it is dead. What the child started itself goes on. Further calls do
   * nothing.
   */
  @Override
  public void close() {
    process.destroyForcibly();
    close(stdin, stdout, stderr);
  }

  private static void close(@Nullable AwaitableFd... ends) {
    for (AwaitableFd end : ends) {
      if (end != null) {
        end.close();
      }
    }
  }

  @Override
  public String toString() {
    return "ChildProcess(pid " + pid() + (process.isAlive() ? ")" : ", exited)");
  }
}
