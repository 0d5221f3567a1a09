package dev.epoll.net;

import dev.epoll.sys.FileNames;
import dev.epoll.sys.SocketAddresses;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The address of a Unix socket: a path, an abstract name, or none; see <a
 * href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>. Unlike {@link
 * UnixDomainSocketAddress}, it knows abstract names. Immutable.
 */
public final class UnixAddress extends SocketAddress {
  private static final long serialVersionUID = 1L;
  private static final UnixAddress UNNAMED = new UnixAddress(new byte[0]);

  /** As {@link SocketAddresses#putUnix} takes it. */
  private final byte[] name;

  private UnixAddress(byte[] name) {
    this.name = name;
  }

  static UnixAddress ofName(byte[] name) {
    return name.length == 0 ? UNNAMED : new UnixAddress(name);
  }

  byte[] name() {
    return name;
  }

  /**
   * A path, which is the file of the socket.
   *
   * @throws IllegalArgumentException if it is empty, or has more than 107 bytes
   * @throws java.nio.file.ProviderMismatchException if it is not of the default file system
   */
  public static UnixAddress of(Path path) {
    byte[] bytes = FileNames.encodeAsGiven(path);
    if (bytes.length == 0) {
      throw new IllegalArgumentException("the path is empty: give one, or UnixAddress.unnamed()");
    }
    // One less than fits, because the C world ends it with a NUL.
    checkLength(path.toString(), bytes.length, SocketAddresses.MAX_UNIX_NAME - 1);
    return new UnixAddress(bytes);
  }

  /** The same address as {@code address}; an empty path there means no name. */
  public static UnixAddress of(UnixDomainSocketAddress address) {
    return address.getPath().toString().isEmpty() ? UNNAMED : of(address.getPath());
  }

  /**
   * A name that is not in the file system, of this network namespace; shown with an {@code @} in
   * front. It goes with the last socket that has it, and has no permissions: anybody may connect.
   *
   * @throws IllegalArgumentException if it has more than 107 bytes in UTF-8
   */
  public static UnixAddress abstractName(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    checkLength("@" + name, bytes.length, SocketAddresses.MAX_UNIX_NAME - 1);
    byte[] all = new byte[bytes.length + 1];
    System.arraycopy(bytes, 0, all, 1, bytes.length);
    return new UnixAddress(all);
  }

  /**
   * No name, as of a socket that was not bound. Binding to it lets the kernel choose an abstract
   * name.
   */
  public static UnixAddress unnamed() {
    return UNNAMED;
  }

  private static void checkLength(String shown, int length, int max) {
    if (length > max) {
      throw new IllegalArgumentException(
          shown
              + " has "
              + length
              + " bytes, and a Unix socket's name at most "
              + max
              + ": use a shorter one, such as a relative path");
    }
  }

  /** Whether there is no name. */
  public boolean isUnnamed() {
    return name.length == 0;
  }

  /** Whether the name is not in the file system. */
  public boolean isAbstract() {
    return name.length > 0 && name[0] == 0;
  }

  /** The path, unless the address is abstract or unnamed. */
  public Optional<Path> path() {
    return isUnnamed() || isAbstract() ? Optional.empty() : Optional.of(FileNames.path(name));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof UnixAddress address && Arrays.equals(address.name, name);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(name);
  }

  /** The path, the abstract name behind an {@code @}, or {@code unnamed}. */
  @Override
  public String toString() {
    if (isUnnamed()) {
      return "unnamed";
    }
    return isAbstract()
        ? "@" + new String(name, 1, name.length - 1, StandardCharsets.UTF_8)
        : FileNames.decode(name);
  }
}
