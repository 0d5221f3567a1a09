package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SocketAddressesTest {
  private static final byte[] LINK_LOCAL = {
    (byte) 0xfe, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9
  };

  private final ByteBuffer memory = dirtyMemory();

  private static ByteBuffer dirtyMemory() {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(SocketAddresses.MAX_SIZE).order(ByteOrder.nativeOrder());
    for (int i = 0; i < memory.capacity(); i++) {
      memory.put(i, (byte) 0x55);
    }
    return memory;
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    memory.get(0, bytes);
    return bytes;
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 1, 16",
    "0.0.0.0, 0, 16",
    "255.254.253.252, 65535, 16",
    "::1, 8080, 28",
    "::, 0, 28",
    "fedc:ba98:7654:3210:f0e1:d2c3:b4a5:9687, 65535, 28"
  })
  void anAddressComesBackAsItWent(String host, int port, int size) throws UnknownHostException {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), port);
    assertEquals(size, SocketAddresses.put(memory, address));
    assertEquals(address, SocketAddresses.get(memory));
    assertEquals(
        size == 16 ? Linux.AF_INET : Linux.AF_INET6, SocketAddresses.family(address.getAddress()));
  }

  @Test
  void ipv4IsLaidOutAsTheKernelReadsIt() throws UnknownHostException {
    InetAddress host = InetAddress.getByAddress(new byte[] {10, 20, 30, 40});
    SocketAddresses.put(memory, new InetSocketAddress(host, 0x1234));
    assertEquals(2, memory.getShort(0));
    byte[] expected = {0x12, 0x34, 10, 20, 30, 40, 0, 0, 0, 0, 0, 0, 0, 0};
    assertArrayEquals(expected, Arrays.copyOfRange(bytes(16), 2, 16));
    assertEquals(0x55, memory.get(16));
  }

  @Test
  void ipv6IsLaidOutAsTheKernelReadsIt() throws UnknownHostException {
    Inet6Address host = Inet6Address.getByAddress(null, LINK_LOCAL, 7);
    SocketAddresses.put(memory, new InetSocketAddress(host, 0x1234));
    assertEquals(10, memory.getShort(0));
    byte[] portAndFlow = {0x12, 0x34, 0, 0, 0, 0};
    assertArrayEquals(portAndFlow, Arrays.copyOfRange(bytes(28), 2, 8));
    assertArrayEquals(LINK_LOCAL, Arrays.copyOfRange(bytes(28), 8, 24));
    assertEquals(7, memory.getInt(24));
  }

  @Test
  void aScopeComesBack() throws UnknownHostException {
    Inet6Address host = Inet6Address.getByAddress(null, LINK_LOCAL, 7);
    SocketAddresses.put(memory, new InetSocketAddress(host, 1));
    InetSocketAddress read = SocketAddresses.get(memory);
    assertEquals(host, read.getAddress());
    assertEquals(7, assertInstanceOf(Inet6Address.class, read.getAddress()).getScopeId());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, -1})
  void anIpv4AddressInItsIpv6FormComesOutAsIpv4WhateverItsScope(int scope)
      throws UnknownHostException {
    byte[] mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 127, 0, 0, 1};
    memory.putShort(0, (short) Linux.AF_INET6);
    memory.duplicate().order(ByteOrder.BIG_ENDIAN).putShort(2, (short) 8080);
    memory.put(8, mapped).putInt(24, scope);
    InetSocketAddress read = SocketAddresses.get(memory);
    assertInstanceOf(Inet4Address.class, read.getAddress());
    assertEquals(new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080), read);
  }

  @Test
  void aDualStackSocketTellsIpv4PeersAsIpv4() throws UnknownHostException {
    try (Seam seam = new Seam(Backend.syscalls())) {
      int listener = seam.socket(Linux.AF_INET6, Linux.SOCK_STREAM);
      Seam.ok(seam.setOption(listener, Linux.IPPROTO_IPV6, Linux.IPV6_V6ONLY, 0));
      InetSocketAddress any = new InetSocketAddress(InetAddress.getByName("::"), 0);
      assumeTrue(seam.bind(listener, any) == 0, "no IPv6 here");
      Seam.ok(seam.syscalls.listen(listener, 1));
      int port = seam.sockname(listener, 28).getPort();
      int client = seam.socket(Linux.AF_INET, Linux.SOCK_STREAM);
      Seam.ok(seam.connect(client, new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
      assertEquals(seam.sockname(client, 16), seam.accept(listener, 0, 28).peer());
    }
  }
}
