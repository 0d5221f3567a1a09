package dev.epoll.net;

import java.net.SocketOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Options that a socket is made with, in the JDK's terms: {@link java.net.StandardSocketOptions}
 * and {@code jdk.net.ExtendedSocketOptions} for keep-alive. Immutable.
 */
public final class TcpOptions {
  private static final TcpOptions NONE = new TcpOptions(Map.of());

  private final Map<SocketOption<?>, Object> values;

  private TcpOptions(Map<SocketOption<?>, Object> values) {
    this.values = values;
  }

  /** The system's defaults. */
  public static TcpOptions none() {
    return NONE;
  }

  /**
   * The same and one more.
   *
   * @throws UnsupportedOperationException if TCP sockets have no such option
   */
  public <T> TcpOptions with(SocketOption<T> option, T value) {
    SocketOptionCodec.of(option, SocketOptionCodec.Kind.TCP);
    Map<SocketOption<?>, Object> more = new LinkedHashMap<>(values);
    more.put(option, Objects.requireNonNull(value, "value"));
    return new TcpOptions(more);
  }

  Map<SocketOption<?>, Object> values() {
    return values;
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
