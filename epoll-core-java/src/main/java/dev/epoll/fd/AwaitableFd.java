package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.Registration;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What every kind of descriptor has in common: the fd, its registration, the order in which both
 * end, and calls that retry after EINTR and take EAGAIN for "would block".
 *
 * <p>Thread: every method from any.
 */
public abstract class AwaitableFd implements Channel {
  /** What a call returns that would have blocked; not an errno, not a count. */
  protected static final long WOULD_BLOCK = -Errno.EAGAIN.number;

  private static final Syscalls SYSCALLS = Backend.syscalls();

  /** What {@link Registration#edges()} never is. */
  private static final int NO_EDGES = -1;

  private final OwnedFd fd;
  private final Registration registration;

  /**
   * {@link Registration#edges()} before the last read, if it would have blocked, or found less than
   * it asked for.
   */
  private volatile int drainedAt = NO_EDGES;

  /** The same before the last write that would have blocked. */
  private volatile int fullAt = NO_EDGES;

  /**
   * Registers {@code fd}. If that fails, {@code fd} is closed.
   *
   * @throws IOException as {@link Poller#register}
   */
  protected AwaitableFd(Poller poller, OwnedFd fd) throws IOException {
    this.fd = fd;
    try {
      this.registration = poller.register(fd.number());
    } catch (Throwable e) {
      fd.close();
      throw e;
    }
  }

  /** The descriptor's number. It stays this object's: closing it elsewhere breaks this object. */
  public final int fd() {
    return fd.number();
  }

  /** The registration to await on. */
  public final Registration registration() {
    return registration;
  }

  @Override
  public final boolean isOpen() {
    return fd.isOpen();
  }

  /**
   * Ends this descriptor: those who await it are told {@link
   * dev.epoll.ClosedRegistrationException}, then the fd is closed, or given back if it was
   * borrowed, once no call is under way on it. Further calls do nothing.
   */
  @Override
  public final void close() {
    try {
      fd.acquire();
    } catch (ClosedChannelException closedBefore) {
      return;
    }
    // Refused to others from here on, so that whoever is told finds it closed; our own use keeps
    // the number until the DEL is done.
    // Kernel: the DEL comes before the close(2), because an fd that has a duplicate stays in the
    // set when it is closed.
    fd.close();
    registration.close();
    fd.release();
  }

  /** One system call on the fd; returns its result or {@code -errno}. */
  @FunctionalInterface
  protected interface Call {
    /** Makes the call. */
    long on(int fd);
  }

  /**
   * A call that moves up to {@code count} bytes between the fd and memory; returns their number or
   * {@code -errno}.
   */
  @FunctionalInterface
  protected interface Transfer {
    /** Makes the call. */
    long on(int fd, long address, long count);
  }

  /**
   * Makes {@code call}, again after EINTR.
   *
   * @return its result, or {@link #WOULD_BLOCK}
   * @throws SyscallException for any other errno
   * @throws ClosedChannelException if this descriptor is closed
   */
  protected final long call(String name, Call call) throws IOException {
    int number = fd.acquire();
    try {
      long result;
      do {
        result = call.on(number);
      } while (Errno.EINTR.is(result));
      return checked(name, number, result);
    } finally {
      fd.release();
    }
  }

  private static long checked(String name, int fd, long result) throws SyscallException {
    if (result < 0 && result != WOULD_BLOCK) {
      throw new SyscallException(name, (int) -result, fd);
    }
    return result;
  }

  /** The same for the calls that all bytes go through: without an object for each. */
  private long move(String name, Transfer transfer, long address, long count) throws IOException {
    int number = fd.acquire();
    try {
      long result;
      do {
        result = transfer.on(number, address, count);
      } while (Errno.EINTR.is(result));
      return checked(name, number, result);
    } finally {
      fd.release();
    }
  }

  /**
   * Reads what is there, up to {@code target.remaining()}, by one call of {@code transfer}, and
   * moves the position past it.
   *
   * @return the number of bytes, 0 if it would block or nothing remains, -1 at the end of the
   *     stream
   */
  protected final int readInto(ByteBuffer target, String name, Transfer transfer)
      throws IOException {
    checkWritable(target);
    if (!target.hasRemaining()) {
      checkOpen();
      return 0;
    }
    int edges = registration.edges();
    int asked =
        target.isDirect() ? target.remaining() : Math.min(target.remaining(), ScratchMemory.SIZE);
    long result =
        target.isDirect()
            ? readDirect(target, asked, name, transfer)
            : readHeap(target, asked, name, transfer);
    drainedAt = result == WOULD_BLOCK || isCutShort(result, asked) ? edges : NO_EDGES;
    if (result == WOULD_BLOCK) {
      return 0;
    }
    return result == 0 ? -1 : (int) result;
  }

  /**
   * Notes that a call other than {@link #readInto} found nothing; {@code edges} are those of {@link
   * Registration#edges()} before it.
   */
  protected final void foundNothing(int edges) {
    drainedAt = edges;
  }

  private boolean isCutShort(long result, int asked) {
    return result > 0 && result < asked && shortReadDrains();
  }

  /** Whether a read that finds less than it asks for leaves nothing behind. */
  protected boolean shortReadDrains() {
    return true;
  }

  /**
   * Whether the last {@link #readInto} found less than it asked for, and no edge has come since;
   * see {@link ByteSource#isDrained()}.
   */
  protected final boolean drained() {
    return drainedAt == registration.edges();
  }

  /** For {@link Registration#armAfter}: the edges before the {@link #readInto} that drained it. */
  protected final int drainedAt() {
    return drainedAt;
  }

  /** The same: the edges before the last call that found no room. */
  protected final int fullAt() {
    return fullAt;
  }

  /** Notes that a call found no room; {@code edges} as for {@link #foundNothing}. */
  protected final void foundNoRoom(int edges) {
    fullAt = edges;
  }

  /** {@link #call} that notes it if there was no room. */
  protected final long callForRoom(String name, Call call) throws IOException {
    int edges = registration.edges();
    long result = call(name, call);
    if (result == WOULD_BLOCK) {
      foundNoRoom(edges);
    }
    return result;
  }

  /**
   * Does nothing, unless {@code target} is read-only.
   *
   * @throws IllegalArgumentException if it is
   */
  protected static void checkWritable(ByteBuffer target) {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("cannot read into a read-only buffer: " + target);
    }
  }

  private long readDirect(ByteBuffer target, int count, String name, Transfer transfer)
      throws IOException {
    long address = NativeMemory.addressOf(SYSCALLS, target);
    try {
      long result = move(name, transfer, address, count);
      if (result > 0) {
        target.position(target.position() + (int) result);
      }
      return result;
    } finally {
      Reference.reachabilityFence(target);
    }
  }

  private long readHeap(ByteBuffer target, int count, String name, Transfer transfer)
      throws IOException {
    NativeMemory scratch = ScratchMemory.take(SYSCALLS);
    try {
      long address = scratch.address();
      long result = move(name, transfer, address, count);
      if (result > 0) {
        target.put(scratch.buffer().slice(0, (int) result));
      }
      return result;
    } finally {
      ScratchMemory.giveBack(scratch);
    }
  }

  /**
   * Writes what the fd takes of {@code source}, by one call of {@code transfer}, and moves the
   * position past it. A heap buffer is moved in pieces of at most {@link ScratchMemory#SIZE} bytes.
   *
   * @param limit how many bytes may be written at the most
   * @return the number of bytes, 0 if it would block or nothing remains
   */
  protected final int writeFrom(ByteBuffer source, int limit, String name, Transfer transfer)
      throws IOException {
    if (!source.hasRemaining()) {
      checkOpen();
      return 0;
    }
    int edges = registration.edges();
    int count = Math.min(source.remaining(), limit);
    long result =
        source.isDirect()
            ? writeDirect(source, count, name, transfer)
            : writeHeap(source, count, name, transfer);
    if (result == WOULD_BLOCK) {
      foundNoRoom(edges);
      return 0;
    }
    source.position(source.position() + (int) result);
    return (int) result;
  }

  private long writeDirect(ByteBuffer source, int count, String name, Transfer transfer)
      throws IOException {
    long address = NativeMemory.addressOf(SYSCALLS, source);
    try {
      return move(name, transfer, address, count);
    } finally {
      Reference.reachabilityFence(source);
    }
  }

  private long writeHeap(ByteBuffer source, int remaining, String name, Transfer transfer)
      throws IOException {
    NativeMemory scratch = ScratchMemory.take(SYSCALLS);
    try {
      long address = scratch.address();
      int count = Math.min(remaining, ScratchMemory.SIZE);
      scratch.buffer().put(0, source, source.position(), count);
      return move(name, transfer, address, count);
    } finally {
      ScratchMemory.giveBack(scratch);
    }
  }

  /**
   * Does nothing, unless this descriptor is closed.
   *
   * @throws ClosedChannelException if it is
   */
  protected final void checkOpen() throws IOException {
    fd.acquire();
    fd.release();
  }

  /**
   * Makes the calling thread wait, as channels of the JDK do, where {@link InterruptedException}
   * cannot be thrown.
   *
   * @param timeout null waits for ever
   * @return {@link Readiness#NONE} when the time is over
   * @throws InterruptedIOException if the thread is interrupted, with its status set
   * @throws IOException as {@link Registration#blockUntil(Interest)}
   */
  protected static Readiness block(
      Registration registration, Interest interest, @Nullable Duration timeout) throws IOException {
    try {
      return timeout == null
          ? registration.blockUntil(interest)
          : registration.blockUntil(interest, timeout);
    } catch (InterruptedException e) {
      throw interrupted(registration);
    }
  }

  /** The same, with an await that {@code arming} starts, and without end. */
  static void block(Registration registration, Registration.Arming arming) throws IOException {
    try {
      registration.blockOn(arming);
    } catch (InterruptedException e) {
      throw interrupted(registration);
    }
  }

  private static InterruptedIOException interrupted(Registration registration) {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while waiting on fd " + registration.fd());
  }

  /**
   * Something that is tried without waiting.
   *
   * @param <T> what it gives
   */
  @FunctionalInterface
  protected interface Attempt<T> {
    /** Makes it; null if it would block. */
    @Nullable T make() throws IOException;
  }

  /**
   * Makes {@code attempt} until it succeeds, and the calling thread wait in between.
   *
   * @throws InterruptedIOException if the thread is interrupted, with its status set
   * @throws IOException as {@code attempt}, and as {@link Registration#blockUntil(Interest)}
   */
  protected final <T> T blockUntilDone(Interest interest, Attempt<T> attempt) throws IOException {
    while (true) {
      T result = attempt.make();
      if (result != null) {
        return result;
      }
      block(registration, interest, null);
    }
  }

  /** The kind and the number. */
  @Override
  public String toString() {
    return getClass().getSimpleName() + "(" + fd + ")";
  }
}
