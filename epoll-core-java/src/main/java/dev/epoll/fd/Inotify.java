package dev.epoll.fd;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.sys.Backend;
import dev.epoll.sys.Errno;
import dev.epoll.sys.FileNames;
import dev.epoll.sys.InotifyStruct;
import dev.epoll.sys.Linux;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Tells what happens to files and in directories; see <a
 * href="https://man7.org/linux/man-pages/man7/inotify.7.html">inotify(7)</a>. Readable while there
 * are events. Non-blocking and close-on-exec.
 *
 * <p>Events come in the order in which they happened, and wait in the kernel until they are taken,
 * one by one: whoever stops taking leaves the rest to the next. The kernel merges an event with an
 * equal one that was the last before it, and when {@code fs.inotify.max_queued_events} wait it
 * drops what follows and says so by one event, {@link InotifyMask#OVERFLOW}.
 *
 * <p>A directory's watch tells of what is directly in it, not further down. A file's name is its
 * bytes, and so are the paths here, also where they are no text in this JVM's {@code
 * sun.jnu.encoding}.
 *
 * <p>Thread: every method from any. Of several who take, one gets an event.
 */
public final class Inotify extends AwaitableFd {
  private static final Syscalls SYSCALLS = Backend.syscalls();

  // Held over the calls whose order decides what a watch descriptor stands for: none of them waits,
  // except inotify_add_watch for a slow file system.
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * By watch descriptor. A watch leaves when its last event, IGNORED, is taken, so that those
   * before it find it.
   *
   * <p>Kernel: the descriptors of one inotify fd go up, and come again only after 2^31 others.
   */
  private final Map<Integer, Watch> watches = new HashMap<>();

  private Inotify(Poller poller, int fd) throws IOException {
    super(poller, OwnedFd.owned(fd));
  }

  /**
   * An inotify fd that watches nothing.
   *
   * @throws SyscallException EMFILE: one of the two limits that the text names is reached; ENFILE
   * @throws IOException as {@link Poller#register}
   */
  public static Inotify open(Poller poller) throws IOException {
    int fd = SYSCALLS.inotifyInit1(Linux.IN_CLOEXEC | Linux.IN_NONBLOCK);
    if (fd < 0) {
      String advice =
          Errno.EMFILE.is(fd)
              ? "raise the user's limit, sysctl fs.inotify.max_user_instances, or the process's"
                  + " limit of open files, ulimit -n, or close some"
              : "";
      throw new SyscallException("inotify_init1", -fd, -1, advice);
    }
    return new Inotify(poller, fd);
  }

  /** Something that is watched: a file or a directory, not a name. */
  public final class Watch {
    private final int descriptor;
    private volatile Path path;

    private Watch(int descriptor, Path path) {
      this.descriptor = descriptor;
      this.path = path;
    }

    /**
     * What {@link Inotify#watch} was last given for this. It stays so when the file is renamed; to
     * change it, watch the new path.
     */
    public Path path() {
      return path;
    }

    /**
     * Ends this watch. What happened before still comes, then {@link InotifyMask#IGNORED}.
     *
     * @return false if it had ended before
     * @throws java.nio.channels.ClosedChannelException if the inotify fd is closed
     */
    public boolean remove() throws IOException {
      return Inotify.this.remove(this);
    }

    @Override
    public String toString() {
      return "Watch(" + descriptor + ", " + path + ")";
    }
  }

  /**
   * Watches {@code path} for what is in {@code mask}. Where it is watched already, by whatever
   * path, that is the watch which is returned, with {@code path} and {@code mask} in place of its
   * former ones; {@link InotifyMask#MASK_ADD} and {@link InotifyMask#MASK_CREATE} change that.
   *
   * @throws IllegalArgumentException if {@code mask} names no event, or what cannot be asked for
   * @throws java.nio.file.ProviderMismatchException if {@code path} is not of the default file
   *     system
   * @throws FileSystemException if {@code path} cannot be watched: {@link NoSuchFileException},
   *     {@link NotDirectoryException}, {@link AccessDeniedException}, or {@link
   *     FileAlreadyExistsException} if it is watched already; the cause has the errno
   * @throws SyscallException ENOSPC: the user's limit of watches is reached
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public Watch watch(Path path, InotifyMask mask) throws IOException {
    mask.checkCanBeWatchedFor();
    byte[] name = FileNames.encode(path);
    lock.lock();
    try {
      int descriptor = addWatch(name, mask);
      Watch watch = watches.computeIfAbsent(descriptor, number -> new Watch(number, path));
      watch.path = path;
      return watch;
    } catch (SyscallException e) {
      throw ofWatching(path, e);
    } finally {
      lock.unlock();
    }
  }

  private int addWatch(byte[] name, InotifyMask mask) throws IOException {
    NativeMemory memory = ScratchMemory.take(SYSCALLS);
    try {
      if (!FileNames.put(memory, name)) {
        throw new SyscallException("inotify_add_watch", Errno.ENAMETOOLONG.number, fd());
      }
      long address = memory.address();
      return (int)
          call("inotify_add_watch", fd -> SYSCALLS.inotifyAddWatch(fd, address, mask.bits()));
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  private static IOException ofWatching(Path path, SyscallException e) {
    if (Errno.ENOSPC.is(-e.errno())) {
      return new SyscallException(
          e.call(),
          e.errno(),
          e.fd(),
          "raise the user's limit, sysctl fs.inotify.max_user_watches, or remove some watches");
    }
    if (Errno.EEXIST.is(-e.errno())) {
      var exception = new FileAlreadyExistsException(path.toString(), null, "watched already");
      exception.initCause(e);
      return exception;
    }
    return OpenFile.failure(path, e);
  }

  private boolean remove(Watch watch) throws IOException {
    lock.lock();
    try {
      if (watches.get(watch.descriptor) != watch) {
        checkOpen();
        return false;
      }
      call("inotify_rm_watch", fd -> SYSCALLS.inotifyRmWatch(fd, watch.descriptor));
      return true;
    } catch (SyscallException e) {
      if (Errno.EINVAL.is(-e.errno())) {
        return false; // It has ended, and its IGNORED is still to be taken.
      }
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the next event, and never waits.
   *
   * @return the event, or null if there is none
   * @throws java.nio.channels.ClosedChannelException if this descriptor is closed
   */
  public @Nullable InotifyEvent tryTake() throws IOException {
    lock.lock();
    try {
      NativeMemory memory = ScratchMemory.take(SYSCALLS);
      try {
        long size = call("read", fd -> InotifyStruct.readOne(SYSCALLS, fd, memory));
        return size == WOULD_BLOCK ? null : event(memory.buffer(), size);
      } finally {
        ScratchMemory.giveBack(memory);
      }
    } finally {
      lock.unlock();
    }
  }

  private InotifyEvent event(ByteBuffer struct, long size) throws IOException {
    if (!InotifyStruct.isWhole(struct, size)) {
      throw new IOException("fd " + fd() + " gave " + size + " bytes that are no inotify event");
    }
    int descriptor = InotifyStruct.watch(struct);
    InotifyMask mask = InotifyMask.of(InotifyStruct.mask(struct));
    byte[] name = InotifyStruct.name(struct);
    Watch watch =
        mask.contains(InotifyMask.IGNORED) ? watches.remove(descriptor) : watches.get(descriptor);
    return new InotifyEvent(
        watch,
        mask,
        InotifyStruct.cookie(struct),
        name.length == 0 ? null : FileNames.element(name));
  }

  /** This descriptor for threads. */
  @FunctionalInterface
  public interface Blocking {
    /**
     * Takes the next event, and waits as long as there is none.
     *
     * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while
     *     waiting
     * @throws java.io.InterruptedIOException if the thread is interrupted, with its status set; the
     *     descriptor stays open
     */
    InotifyEvent take() throws IOException;
  }

  /**
   * This descriptor for threads: taking waits. A virtual thread that waits leaves its carrier to
   * others.
   */
  public Blocking blocking() {
    return () -> blockUntilDone(Interest.READABLE, this::tryTake);
  }
}
