package dev.epoll.fd;

import dev.epoll.sys.Linux;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * A set of inotify bits: what to watch for and how, or what happened; see <a
 * href="https://man7.org/linux/man-pages/man7/inotify.7.html">inotify(7)</a>. Immutable.
 */
public final class InotifyMask {
  private static final Map<Integer, String> NAMES = new LinkedHashMap<>();

  /** A file was read, or a program run. */
  public static final InotifyMask ACCESS = named("ACCESS", Linux.IN_ACCESS);

  /** A file was written or truncated. */
  public static final InotifyMask MODIFY = named("MODIFY", Linux.IN_MODIFY);

  /** Permissions, owner, times, extended attributes or the number of links changed. */
  public static final InotifyMask ATTRIB = named("ATTRIB", Linux.IN_ATTRIB);

  /** A file that was open for writing was closed. */
  public static final InotifyMask CLOSE_WRITE = named("CLOSE_WRITE", Linux.IN_CLOSE_WRITE);

  /** A file or directory that was not open for writing was closed. */
  public static final InotifyMask CLOSE_NOWRITE = named("CLOSE_NOWRITE", Linux.IN_CLOSE_NOWRITE);

  /** A file or directory was opened. */
  public static final InotifyMask OPEN = named("OPEN", Linux.IN_OPEN);

  /** Something was renamed: this is its old name. */
  public static final InotifyMask MOVED_FROM = named("MOVED_FROM", Linux.IN_MOVED_FROM);

  /** Something was renamed: this is its new name. */
  public static final InotifyMask MOVED_TO = named("MOVED_TO", Linux.IN_MOVED_TO);

  /** Something was made in the watched directory: a file, a directory, a link. */
  public static final InotifyMask CREATE = named("CREATE", Linux.IN_CREATE);

  /** Something was deleted from the watched directory. */
  public static final InotifyMask DELETE = named("DELETE", Linux.IN_DELETE);

  /** What is watched was itself deleted. */
  public static final InotifyMask DELETE_SELF = named("DELETE_SELF", Linux.IN_DELETE_SELF);

  /** What is watched was itself renamed. */
  public static final InotifyMask MOVE_SELF = named("MOVE_SELF", Linux.IN_MOVE_SELF);

  /** Both names of a rename. */
  public static final InotifyMask MOVE = MOVED_FROM.or(MOVED_TO);

  /** Either way of being closed. */
  public static final InotifyMask CLOSE = CLOSE_WRITE.or(CLOSE_NOWRITE);

  /** Every event that can be watched for. */
  public static final InotifyMask ALL_EVENTS = of((Linux.IN_MOVE_SELF << 1) - 1);

  /** Only happens: the file system was unmounted; {@link #IGNORED} follows. */
  public static final InotifyMask UNMOUNT = named("UNMOUNT", Linux.IN_UNMOUNT);

  /** Only happens: the queue was full, and events were lost from here on. Of no watch. */
  public static final InotifyMask OVERFLOW = named("OVERFLOW", Linux.IN_Q_OVERFLOW);

  /** Only happens: the last event of a watch, which has ended. */
  public static final InotifyMask IGNORED = named("IGNORED", Linux.IN_IGNORED);

  /** Only happens, beside other bits: the name is that of a directory. */
  public static final InotifyMask IS_DIRECTORY = named("IS_DIRECTORY", Linux.IN_ISDIR);

  /** How to watch: fail unless it is a directory. */
  public static final InotifyMask ONLY_DIRECTORY = named("ONLY_DIRECTORY", Linux.IN_ONLYDIR);

  /** How to watch: of a symbolic link, watch the link itself. */
  public static final InotifyMask DONT_FOLLOW = named("DONT_FOLLOW", Linux.IN_DONT_FOLLOW);

  /** How to watch: nothing of what was deleted from the directory, but is still open. */
  public static final InotifyMask EXCLUDE_UNLINKED =
      named("EXCLUDE_UNLINKED", Linux.IN_EXCL_UNLINK);

  /** How to watch: fail if it is watched already. */
  public static final InotifyMask MASK_CREATE = named("MASK_CREATE", Linux.IN_MASK_CREATE);

  /** How to watch: if it is watched already, for what it was and this too. */
  public static final InotifyMask MASK_ADD = named("MASK_ADD", Linux.IN_MASK_ADD);

  /** How to watch: for one event; the watch ends with it. */
  public static final InotifyMask ONESHOT = named("ONESHOT", Linux.IN_ONESHOT);

  private static final InotifyMask ONLY_HAPPENS = UNMOUNT.or(OVERFLOW).or(IGNORED).or(IS_DIRECTORY);

  private final int bits;

  private InotifyMask(int bits) {
    this.bits = bits;
  }

  private static InotifyMask named(String name, int bit) {
    NAMES.put(bit, name);
    return of(bit);
  }

  /** The mask with exactly these bits. */
  public static InotifyMask of(int bits) {
    return new InotifyMask(bits);
  }

  /** The bits, as the kernel takes them. */
  public int bits() {
    return bits;
  }

  /** The bits that are in this mask or in {@code other}. */
  public InotifyMask or(InotifyMask other) {
    return of(bits | other.bits);
  }

  /** Whether every bit of {@code other} is in this mask. */
  public boolean contains(InotifyMask other) {
    return (bits & other.bits) == other.bits;
  }

  /** Whether a bit of {@code other} is in this mask. */
  public boolean intersects(InotifyMask other) {
    return (bits & other.bits) != 0;
  }

  /** Refuses what the kernel would pass over without a word, or refuse without saying why. */
  void checkCanBeWatchedFor() {
    String remedy = null;
    if (!intersects(ALL_EVENTS)) {
      remedy = "it names no event: add one, such as CREATE";
    } else if (intersects(ONLY_HAPPENS)) {
      remedy = "UNMOUNT, OVERFLOW, IGNORED and IS_DIRECTORY come unasked: leave them out";
    } else if (contains(MASK_ADD) && contains(MASK_CREATE)) {
      remedy = "MASK_ADD and MASK_CREATE exclude each other: leave one out";
    }
    if (remedy != null) {
      throw new IllegalArgumentException("cannot watch for " + this + ": " + remedy);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof InotifyMask mask && mask.bits == bits;
  }

  @Override
  public int hashCode() {
    return bits;
  }

  /** The names of the bits, as in {@code CREATE|IS_DIRECTORY}; unnamed bits in hexadecimal. */
  @Override
  public String toString() {
    StringJoiner names = new StringJoiner("|").setEmptyValue("NONE");
    int rest = bits;
    for (Map.Entry<Integer, String> entry : NAMES.entrySet()) {
      if ((bits & entry.getKey()) != 0) {
        names.add(entry.getValue());
        rest &= ~entry.getKey();
      }
    }
    if (rest != 0) {
      names.add("0x" + Integer.toHexString(rest));
    }
    return names.toString();
  }
}
