package dev.epoll.sys;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * File names between Java and the kernel, to which they are bytes: encoded as the JDK encodes
 * paths, so that a name means the same file here and in {@code java.nio.file}.
 */
public final class FileNames {
  private static final Charset CHARSET =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

  private static final String ROOT = "file:///";
  private static final HexFormat HEX = HexFormat.of();

  private FileNames() {}

  /** The bytes of a name, without a closing NUL. */
  public static byte[] encode(String name) {
    return name.getBytes(CHARSET);
  }

  /** The name that {@code bytes} are. */
  public static String decode(byte[] bytes) {
    return new String(bytes, CHARSET);
  }

  /**
   * The absolute name of {@code path}, without a closing NUL, byte for byte: a path keeps those
   * bytes also where they are no text, but gives them only in its URI.
   *
   * @throws ProviderMismatchException if it is not of the default file system
   */
  public static byte[] encode(Path path) {
    checkDefault(path);
    String escaped = path.toUri().getRawPath();
    byte[] name = new byte[escaped.length()];
    int length = 0;
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c == '%') {
        name[length++] = (byte) HexFormat.fromHexDigits(escaped, i + 1, i + 3);
        i += 2;
      } else {
        name[length++] = (byte) c;
      }
    }
    // The URI of a directory ends in a slash, which would follow a symbolic link.
    if (length > 1 && name[length - 1] == '/') {
      length--;
    }
    return Arrays.copyOf(name, length);
  }

  /**
   * Does nothing, unless {@code path} means nothing to the kernel, such as one within a zip file.
   *
   * @throws ProviderMismatchException if it is not of the default file system
   */
  private static void checkDefault(Path path) {
    if (!path.getFileSystem().equals(FileSystems.getDefault())) {
      throw new ProviderMismatchException(path + " is not a path of the default file system");
    }
  }

  /**
   * The name of {@code path} as it is, absolute or relative, without a closing NUL, byte for byte.
   *
   * @throws ProviderMismatchException if it is not of the default file system
   */
  public static byte[] encodeAsGiven(Path path) {
    byte[] absolute = encode(path);
    if (path.isAbsolute()) {
      return absolute;
    }
    int here = encode(Path.of("")).length;
    int slash = here == 1 ? 0 : 1;
    int start = Math.min(here + slash, absolute.length);
    return Arrays.copyOfRange(absolute, start, absolute.length);
  }

  /** The path whose name is {@code bytes}, absolute or relative, also where they are no text. */
  public static Path path(byte[] bytes) {
    Path path = Path.of(bytes.length > 0 && bytes[0] == '/' ? "/" : "");
    int start = 0;
    for (int i = 0; i <= bytes.length; i++) {
      if (i == bytes.length || bytes[i] == '/') {
        if (i > start) {
          path = path.resolve(element(Arrays.copyOfRange(bytes, start, i)));
        }
        start = i + 1;
      }
    }
    return path;
  }

  /** The relative path of one element whose name is {@code bytes}, also where they are no text. */
  public static Path element(byte[] bytes) {
    StringBuilder uri = new StringBuilder(ROOT);
    for (byte b : bytes) {
      uri.append('%').append(HEX.toHexDigits(b));
    }
    return Path.of(URI.create(uri.toString())).getFileName();
  }

  /**
   * Puts a name at the start of {@code memory}, as a C string.
   *
   * @return false if there is no room, which a path never needs that the kernel takes (PATH_MAX)
   */
  public static boolean put(NativeMemory memory, String name) {
    return put(memory, encode(name));
  }

  /** The same of a name that is encoded. */
  public static boolean put(NativeMemory memory, byte[] name) {
    ByteBuffer buffer = memory.buffer();
    if (name.length >= buffer.capacity()) {
      return false;
    }
    buffer.put(0, name).put(name.length, (byte) 0);
    return true;
  }
}
