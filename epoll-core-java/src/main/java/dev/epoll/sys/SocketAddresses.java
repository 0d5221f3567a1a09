package dev.epoll.sys;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The layouts of {@code struct sockaddr_in}, {@code sockaddr_in6} and {@code sockaddr_un} (ip(7),
 * ipv6(7), unix(7)): the only class that knows them.
 */
public final class SocketAddresses {
  /** Size of the largest of the structs. */
  public static final int MAX_SIZE = 110;

  /** How many bytes the name of a Unix socket has at the most. */
  public static final int MAX_UNIX_NAME = 108;

  private static final int IN_SIZE = 16;
  private static final int IN6_SIZE = 28;
  private static final int PORT = 2;
  private static final int IN_ADDRESS = 4;
  private static final int IN6_ADDRESS = 8;
  private static final int IN6_SCOPE = 24;
  private static final int UN_NAME = 2;

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
      return IN6_SIZE;
    }
    memory.put(IN_ADDRESS, bytes);
    memory.putLong(IN_ADDRESS + bytes.length, 0); // sin_zero
    return IN_SIZE;
  }

  /**
   * {@code address} as bind(2) takes it of an IPv6 socket, which refuses AF_INET where connect(2)
   * and sendmsg(2) do not: an IPv4 address in its IPv6-mapped form, the wildcard as that of IPv6.
   */
  public static InetSocketAddress asIpv6(InetSocketAddress address) {
    InetAddress host = address.getAddress();
    if (host instanceof Inet6Address) {
      return address;
    }
    byte[] bytes = new byte[16];
    if (!host.isAnyLocalAddress()) {
      Arrays.fill(bytes, 10, 12, (byte) 0xff);
      System.arraycopy(host.getAddress(), 0, bytes, 12, 4);
    }
    try {
      return new InetSocketAddress(Inet6Address.getByAddress(null, bytes, 0), address.getPort());
    } catch (UnknownHostException e) {
      throw new AssertionError("an address of " + bytes.length + " bytes", e);
    }
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
      // The JDK makes an IPv4 address of the mapped form, which has no scope.
      InetAddress host = InetAddress.getByAddress(bytes);
      int scope = host instanceof Inet6Address ? memory.getInt(IN6_SCOPE) : 0;
      return new InetSocketAddress(
          scope == 0 ? host : Inet6Address.getByAddress(null, bytes, scope), port);
    } catch (UnknownHostException e) {
      throw new AssertionError("an address of " + bytes.length + " bytes", e);
    }
  }

  /**
   * Writes the address of a Unix socket at the start of {@code memory}, and returns its length. The
   * name is a path without the closing NUL, or begins with a NUL (abstract), or is empty (unnamed).
   */
  public static int putUnix(ByteBuffer memory, byte[] name) {
    memory.putShort(0, (short) Linux.AF_UNIX);
    memory.put(UN_NAME, name);
    return UN_NAME + name.length;
  }

  /** The name in a struct of {@code length} bytes at the start of {@code memory}. */
  public static byte[] getUnix(ByteBuffer memory, int length) {
    // Kernel: of a sender without a name nothing is stored, not even its family.
    int size = Math.min(Math.max(length, UN_NAME), MAX_SIZE) - UN_NAME;
    byte[] name = new byte[size];
    memory.get(UN_NAME, name);
    boolean isPath = size > 0 && name[0] != 0;
    // Kernel: the length that comes back may count the NUL that ends a path (unix(7)).
    int end = isPath ? 1 : size;
    while (end < size && name[end] != 0) {
      end++;
    }
    return end == size ? name : Arrays.copyOf(name, end);
  }
}
