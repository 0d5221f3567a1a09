package dev.epoll.sys;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The layouts of {@code struct sockaddr_in} and {@code sockaddr_in6} (ip(7), ipv6(7)): the only
 * class that knows them.
 */
public final class SocketAddresses {
  /** Size of the larger of the two structs. */
  public static final int MAX_SIZE = 28;

  private static final int IN_SIZE = 16;
  private static final int PORT = 2;
  private static final int IN_ADDRESS = 4;
  private static final int IN6_ADDRESS = 8;
  private static final int IN6_SCOPE = 24;

  private SocketAddresses() {}

  /** AF_INET or AF_INET6. */
  public static int family(InetAddress address) {
    return address instanceof Inet6Address ? Linux.AF_INET6 : Linux.AF_INET;
  }

  /** Writes {@code address} at the start of {@code memory} and returns the length of the struct. */
  public static int put(ByteBuffer memory, InetSocketAddress address) {
    InetAddress host = address.getAddress();
    byte[] bytes = host.getAddress();
    memory.putShort(0, (short) family(host));
    memory.duplicate().order(ByteOrder.BIG_ENDIAN).putShort(PORT, (short) address.getPort());
    if (host instanceof Inet6Address inet6) {
      memory.putInt(IN_ADDRESS, 0); // sin6_flowinfo
      memory.put(IN6_ADDRESS, bytes);
      memory.putInt(IN6_SCOPE, inet6.getScopeId());
      return MAX_SIZE;
    }
    memory.put(IN_ADDRESS, bytes);
    memory.putLong(IN_ADDRESS + bytes.length, 0); // sin_zero
    return IN_SIZE;
  }

  /**
   * Reads the struct at the start of {@code memory}. An IPv4 address that the kernel gives in its
   * IPv6-mapped form comes out as the IPv4 address that it is.
   */
  public static InetSocketAddress get(ByteBuffer memory) {
    int port = memory.duplicate().order(ByteOrder.BIG_ENDIAN).getShort(PORT) & 0xffff;
    boolean inet6 = memory.getShort(0) == Linux.AF_INET6;
    byte[] bytes = new byte[inet6 ? 16 : 4];
    memory.get(inet6 ? IN6_ADDRESS : IN_ADDRESS, bytes);
    try {
      int scope = inet6 ? memory.getInt(IN6_SCOPE) : 0;
      InetAddress host =
          scope == 0
              ? InetAddress.getByAddress(bytes)
              : Inet6Address.getByAddress(null, bytes, scope);
      return new InetSocketAddress(host, port);
    } catch (UnknownHostException e) {
      throw new AssertionError("an address of " + bytes.length + " bytes", e);
    }
  }
}
