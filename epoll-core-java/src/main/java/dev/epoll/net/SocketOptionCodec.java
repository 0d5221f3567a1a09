package dev.epoll.net;

import dev.epoll.sys.Linux;
import java.net.NetworkInterface;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * How the options of the JDK are numbered and laid out in setsockopt(2), and which sockets have
 * them. Told apart by name, because the module jdk.net, which has the keep-alive ones, may be
 * missing from a trimmed runtime.
 */
enum SocketOptionCodec {
  SO_SNDBUF(Linux.SOL_SOCKET, Linux.SO_SNDBUF, Layout.INT, Kind.TCP, Kind.UDP, Kind.UNIX),
  SO_RCVBUF(Linux.SOL_SOCKET, Linux.SO_RCVBUF, Layout.INT, Kind.TCP, Kind.UDP, Kind.UNIX),
  SO_REUSEADDR(Linux.SOL_SOCKET, Linux.SO_REUSEADDR, Layout.BOOLEAN, Kind.TCP, Kind.UDP),
  SO_REUSEPORT(Linux.SOL_SOCKET, Linux.SO_REUSEPORT, Layout.BOOLEAN, Kind.TCP, Kind.UDP),
  SO_BROADCAST(Linux.SOL_SOCKET, Linux.SO_BROADCAST, Layout.BOOLEAN, Kind.UDP),
  SO_KEEPALIVE(Linux.SOL_SOCKET, Linux.SO_KEEPALIVE, Layout.BOOLEAN, Kind.TCP),
  SO_LINGER(Linux.SOL_SOCKET, Linux.SO_LINGER, Layout.LINGER, Kind.TCP),
  SO_OOBINLINE(Linux.SOL_SOCKET, Linux.SO_OOBINLINE, Layout.BOOLEAN, Kind.TCP),
  TCP_NODELAY(Linux.IPPROTO_TCP, Linux.TCP_NODELAY, Layout.BOOLEAN, Kind.TCP),
  TCP_KEEPIDLE(Linux.IPPROTO_TCP, Linux.TCP_KEEPIDLE, Layout.INT, Kind.TCP),
  TCP_KEEPINTERVAL(Linux.IPPROTO_TCP, Linux.TCP_KEEPINTVL, Layout.INT, Kind.TCP),
  TCP_KEEPCOUNT(Linux.IPPROTO_TCP, Linux.TCP_KEEPCNT, Layout.INT, Kind.TCP),
  IP_TOS(Linux.IP_TOS, Linux.IPV6_TCLASS, Layout.INT),
  IP_MULTICAST_TTL(Linux.IP_MULTICAST_TTL, Linux.IPV6_MULTICAST_HOPS, Layout.INT),
  IP_MULTICAST_LOOP(Linux.IP_MULTICAST_LOOP, Linux.IPV6_MULTICAST_LOOP, Layout.BOOLEAN),
  IP_MULTICAST_IF(Linux.IP_MULTICAST_IF, Linux.IPV6_MULTICAST_IF, Layout.INTERFACE);

  /** What an error calls the sockets that options are told apart for. */
  enum Kind {
    TCP("TCP", 1),
    UDP("UDP", 2),
    UNIX("Unix", 4);

    private final String text;
    private final int bit;

    Kind(String text, int bit) {
      this.text = text;
      this.bit = bit;
    }
  }

  private enum Layout {
    BOOLEAN(Integer.BYTES),
    INT(Integer.BYTES),
    /**
     * {@code struct linger}: on or off, then seconds; as an Integer it is the seconds, negative for
     * off.
     */
    LINGER(2 * Integer.BYTES),
    /** An index; IPv4 has it at the end of a {@code struct ip_mreqn} (ip(7)). */
    INTERFACE(3 * Integer.BYTES);

    final int size;

    Layout(int size) {
      this.size = size;
    }
  }

  private static final Map<String, SocketOptionCodec> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Enum::name, c -> c));

  private final int level;
  private final int number;
  private final int numberOfIpv6;
  private final Layout layout;

  /** A bit for each kind of socket that has it. */
  private final int kinds;

  SocketOptionCodec(int level, int number, Layout layout, Kind... kinds) {
    this.level = level;
    this.number = number;
    this.numberOfIpv6 = number;
    this.layout = layout;
    this.kinds = Arrays.stream(kinds).mapToInt(kind -> kind.bit).sum();
  }

  /** One that IPv4 and IPv6 number each for itself; of UDP. */
  SocketOptionCodec(int number, int numberOfIpv6, Layout layout) {
    this.level = Linux.IPPROTO_IP;
    this.number = number;
    this.numberOfIpv6 = numberOfIpv6;
    this.layout = layout;
    this.kinds = Kind.UDP.bit;
  }

  static SocketOptionCodec of(SocketOption<?> option, Kind kind) {
    SocketOptionCodec codec = BY_NAME.get(option.name());
    if (codec == null || !codec.isOf(kind)) {
      throw new UnsupportedOperationException(
          kind.text + " sockets have no option " + option.name() + ": there are " + names(kind));
    }
    return codec;
  }

  private static Set<String> names(Kind kind) {
    return BY_NAME.values().stream()
        .filter(codec -> codec.isOf(kind))
        .map(Enum::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private boolean isOf(Kind kind) {
    return (kinds & kind.bit) != 0;
  }

  int level(boolean isIpv6) {
    return isIpv6 && level == Linux.IPPROTO_IP ? Linux.IPPROTO_IPV6 : level;
  }

  int number(boolean isIpv6) {
    return isIpv6 ? numberOfIpv6 : number;
  }

  int size(boolean isIpv6) {
    return layout == Layout.INTERFACE && isIpv6 ? Integer.BYTES : layout.size;
  }

  void put(ByteBuffer memory, Object value, boolean isIpv6) {
    switch (layout) {
      case BOOLEAN -> memory.putInt(0, (Boolean) value ? 1 : 0);
      case INT -> memory.putInt(0, (Integer) value);
      case LINGER -> {
        int seconds = (Integer) value;
        memory.putInt(0, seconds < 0 ? 0 : 1).putInt(Integer.BYTES, Math.max(seconds, 0));
      }
      case INTERFACE -> {
        memory.putLong(0, 0);
        memory.putInt(size(isIpv6) - Integer.BYTES, ((NetworkInterface) value).getIndex());
      }
    }
  }

  Object get(ByteBuffer memory) {
    return switch (layout) {
      case BOOLEAN -> memory.getInt(0) != 0;
      case INT -> memory.getInt(0);
      case LINGER -> memory.getInt(0) == 0 ? -1 : memory.getInt(Integer.BYTES);
      case INTERFACE -> throw new UnsupportedOperationException(name() + " can be set, not read");
    };
  }
}
