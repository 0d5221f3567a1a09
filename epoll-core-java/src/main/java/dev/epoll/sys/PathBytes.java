package dev.epoll.sys;

import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * File names between the kernel, for which they are bytes, and the JDK, whose paths keep those
 * bytes but show them only decoded, which loses what is not text. A path's URI has them all.
 */
public final class PathBytes {
  private static final String ROOT = "file:///";
  private static final HexFormat HEX = HexFormat.of();

  private PathBytes() {}

  /**
   * The name of {@code path}, absolute, as the kernel takes it, without the final 0.
   *
   * @throws ProviderMismatchException if it is not of the default file system
   */
  public static byte[] of(Path path) {
    if (!path.getFileSystem().equals(FileSystems.getDefault())) {
      throw new ProviderMismatchException(path + " is not a path of the default file system");
    }
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

  /** The relative path of one element that is called {@code name}. */
  public static Path element(byte[] name) {
    StringBuilder uri = new StringBuilder(ROOT);
    for (byte b : name) {
      uri.append('%').append(HEX.toHexDigits(b));
    }
    return Path.of(URI.create(uri.toString())).getFileName();
  }
}
