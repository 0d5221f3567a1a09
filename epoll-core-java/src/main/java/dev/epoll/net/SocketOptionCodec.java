package dev.epoll.net;

import dev.epoll.sys.Linux;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * How the options of the JDK are numbered and laid out in setsockopt(2). Told apart by name,
 * because the module jdk.net, which has the keep-alive ones, may be missing from a trimmed runtime.
 */
enum SocketOptionCodec {
  SO_REUSEADDR(Linux.SOL_SOCKET, Linux.SO_REUSEADDR, Layout.BOOLEAN),
  SO_REUSEPORT(Linux.SOL_SOCKET, Linux.SO_REUSEPORT, Layout.BOOLEAN),
  SO_KEEPALIVE(Linux.SOL_SOCKET, Linux.SO_KEEPALIVE, Layout.BOOLEAN),
  SO_SNDBUF(Linux.SOL_SOCKET, Linux.SO_SNDBUF, Layout.INT),
  SO_RCVBUF(Linux.SOL_SOCKET, Linux.SO_RCVBUF, Layout.INT),
  SO_LINGER(Linux.SOL_SOCKET, Linux.SO_LINGER, Layout.LINGER),
  TCP_NODELAY(Linux.IPPROTO_TCP, Linux.TCP_NODELAY, Layout.BOOLEAN),
  TCP_KEEPIDLE(Linux.IPPROTO_TCP, Linux.TCP_KEEPIDLE, Layout.INT),
  TCP_KEEPINTERVAL(Linux.IPPROTO_TCP, Linux.TCP_KEEPINTVL, Layout.INT),
  TCP_KEEPCOUNT(Linux.IPPROTO_TCP, Linux.TCP_KEEPCNT, Layout.INT);

  private enum Layout {
    BOOLEAN(Integer.BYTES),
    INT(Integer.BYTES),
    /**
     * {@code struct linger}: on or off, then seconds; as an Integer it is the seconds, negative for
     * off.
     */
    LINGER(2 * Integer.BYTES);

    final int size;

    Layout(int size) {
      this.size = size;
    }
  }

  private static final Map<String, SocketOptionCodec> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Enum::name, c -> c));

  final int level;
  final int number;
  private final Layout layout;

  SocketOptionCodec(int level, int number, Layout layout) {
    this.level = level;
    this.number = number;
    this.layout = layout;
  }

  static SocketOptionCodec of(SocketOption<?> option) {
    SocketOptionCodec codec = BY_NAME.get(option.name());
    if (codec == null) {
      throw new UnsupportedOperationException(
          "TCP sockets have no option "
              + option.name()
              + ": there are "
              + new TreeSet<>(BY_NAME.keySet()));
    }
    return codec;
  }

  int size() {
    return layout.size;
  }

  void put(ByteBuffer memory, Object value) {
    switch (layout) {
      case BOOLEAN -> memory.putInt(0, (Boolean) value ? 1 : 0);
      case INT -> memory.putInt(0, (Integer) value);
      case LINGER -> {
        int seconds = (Integer) value;
        memory.putInt(0, seconds < 0 ? 0 : 1).putInt(Integer.BYTES, Math.max(seconds, 0));
      }
    }
  }

  Object get(ByteBuffer memory) {
    return switch (layout) {
      case BOOLEAN -> memory.getInt(0) != 0;
      case INT -> memory.getInt(0);
      case LINGER -> memory.getInt(0) == 0 ? -1 : memory.getInt(Integer.BYTES);
    };
  }
}
