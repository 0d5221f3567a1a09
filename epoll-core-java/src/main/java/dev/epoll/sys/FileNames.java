package dev.epoll.sys;

import java.nio.ByteBuffer;
import java.nio.charset.Charset;

/**
 * File names between Java and the kernel, to which they are bytes: encoded as the JDK encodes
 * paths, so that a name means the same file here and in {@code java.nio.file}.
 */
public final class FileNames {
  private static final Charset CHARSET =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

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
   * Puts a name at the start of {@code memory}, as a C string.
   *
   * @return false if there is no room, which a path never needs that the kernel takes (PATH_MAX)
   */
  public static boolean put(NativeMemory memory, String name) {
    byte[] bytes = encode(name);
    ByteBuffer buffer = memory.buffer();
    if (bytes.length >= buffer.capacity()) {
      return false;
    }
    buffer.put(0, bytes).put(bytes.length, (byte) 0);
    return true;
  }
}
