package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.SignalRecord;
import dev.epoll.sys.SignalSet;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Signals that are read instead of handled: readable while one of them is pending; see <a
 * href="https://man7.org/linux/man-pages/man2/signalfd.2.html">signalfd(2)</a>.
 *
 * <p>Only a signal that every thread blocks gets here, and a JVM can be made to block one only by
 * who starts it: {@code env --block-signal=USR1 java ...}. HotSpot unblocks HUP, INT, TERM and QUIT
 * again, unless it is started with {@code -Xrs}. Child processes of a JDK 17 inherit what is
 * blocked, those of a JDK 25 do not.
 *
 * <p>Kernel: a signal that is pending already is not counted again, unless it is a real-time one. A
 * signal that was sent to one thread (tgkill(2), pthread_kill(3)) can be read by that thread only,
 * and resumes nobody who awaits.
 */
public final class SignalFd extends AwaitableFd {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  private static final Path THREADS = Path.of("/proc/self/task");
  private static final String BLOCKED = "SigBlk:";

  /** HUP, INT, QUIT and TERM, which HotSpot unblocks for its thread dumps and shutdown hooks. */
  private static final Set<Signal> SHUTDOWN =
      Set.of(Signal.HUP, Signal.INT, Signal.QUIT, Signal.TERM);

  /**
   * One signal.
   *
   * @param signal which
   * @param code why it was sent, the {@code si_code} of sigaction(2): 0 by kill(2), -1 by
   *     sigqueue(3)
   * @param pid who sent it; of SIGCHLD the child
   * @param uid the sender's user, as an unsigned int
   * @param status of SIGCHLD the exit code or the signal that ended the child, else 0
   * @param value what sigqueue(3) sent with it, else 0
   */
  public record Event(Signal signal, int code, int pid, long uid, int status, int value) {}

  private SignalFd(Poller poller, OwnedFd fd) throws IOException {
    super(poller, fd);
  }

  /**
   * Receives {@code signals} from now on, and those that are pending.
   *
   * @throws IllegalArgumentException if one of {@code signals} can never be received, or there is
   *     none
   * @throws IllegalStateException if some thread of this process does not block one of them: sent,
   *     it would go there, and most likely end the process. Says how to start the JVM
   * @throws SyscallException EMFILE or ENFILE
   * @throws IOException as {@link Poller#register}, or if /proc cannot be read
   */
  public static SignalFd open(Poller poller, Signal... signals) throws IOException {
    if (signals.length == 0) {
      throw new IllegalArgumentException("no signal: give at least one");
    }
    long bits = 0;
    for (Signal signal : signals) {
      ensureReceivable(signal);
      bits |= signal.bit();
    }
    OwnedFd fd = OwnedFd.owned(create(bits));
    try {
      ensureBlocked(signals);
    } catch (Throwable e) {
      fd.close();
      throw e;
    }
    return new SignalFd(poller, fd);
  }

  private static int create(long bits) throws SyscallException {
    NativeMemory set = ScratchMemory.take(SYSCALLS);
    try {
      SignalSet.put(set.buffer(), bits);
      int fd = SYSCALLS.signalfd(-1, set.address(), Linux.SFD_CLOEXEC | Linux.SFD_NONBLOCK);
      if (fd < 0) {
        throw new SyscallException("signalfd", -fd, -1);
      }
      return fd;
    } finally {
      ScratchMemory.giveBack(set);
    }
  }

  private static void ensureReceivable(Signal signal) {
    String reason =
        switch (signal.shortName()) {
          case "KILL", "STOP" -> "cannot be blocked";
          case "ILL", "TRAP", "BUS", "FPE", "SEGV" ->
              "is how the JVM learns of faults in its own threads";
          case "USR2" -> "is what HotSpot suspends threads with: take USR1 or a real-time signal";
          case "32", "33" -> "belongs to the C library";
          default -> null;
        };
    if (reason != null) {
      throw new IllegalArgumentException(
          "a signalfd never receives " + signal + ", which " + reason);
    }
  }

  private static void ensureBlocked(Signal[] signals) throws IOException {
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
      for (Path thread : threads) {
        long blocked = blockedIn(thread);
        for (Signal signal : signals) {
          if ((blocked & signal.bit()) == 0) {
            throw new IllegalStateException(
                "thread %s of this process does not block %s, which would go there: start the JVM by"
                        .formatted(thread.getFileName(), signal)
                    + " env --block-signal=%s java%s ..."
                        .formatted(signal.shortName(), SHUTDOWN.contains(signal) ? " -Xrs" : ""));
          }
        }
      }
    }
  }

  private static long blockedIn(Path thread) throws IOException {
    try {
      // Kernel: the name of a thread is in there as 15 bytes, which may end within a character: no
      // UTF-8, but always Latin-1.
      Path status = thread.resolve("status");
      for (String line : Files.readAllLines(status, StandardCharsets.ISO_8859_1)) {
        if (line.startsWith(BLOCKED)) {
          return Long.parseUnsignedLong(line.substring(BLOCKED.length()).trim(), 16);
        }
      }
      throw new IOException(thread + "/status has no line " + BLOCKED);
    } catch (IOException e) {
      if (Files.exists(thread)) {
        throw e;
      }
      return -1; // It has ended, and receives none.
    }
  }

  /**
   * Takes a pending signal, and never waits.
   *
   * @return null if none is pending
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public @Nullable Event tryTake() throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      long address = memory.address();
      long result = call("read", fd -> SYSCALLS.read(fd, address, SignalRecord.SIZE));
      return result == WOULD_BLOCK ? null : event(memory.buffer());
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  private static Event event(ByteBuffer struct) {
    return new Event(
        new Signal(SignalRecord.signal(struct)),
        SignalRecord.code(struct),
        SignalRecord.pid(struct),
        SignalRecord.uid(struct),
        SignalRecord.status(struct),
        SignalRecord.value(struct));
  }

  /** This descriptor for threads. */
  @FunctionalInterface
  public interface Blocking {
    /**
     * Takes a signal, and waits as long as none is pending.
     *
     * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while
     *     waiting
     * @throws java.io.InterruptedIOException if the thread is interrupted, with its status set; the
     *     descriptor stays open
     */
    Event take() throws IOException;
  }

  /**
   * This descriptor for threads: taking waits. A virtual thread that waits leaves its carrier to
   * others.
   */
  public Blocking blocking() {
    return () -> blockUntilDone(Interest.READABLE, this::tryTake);
  }
}
