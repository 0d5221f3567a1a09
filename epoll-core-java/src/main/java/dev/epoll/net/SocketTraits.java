package dev.epoll.net;

import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * What sockets of one kind have in common; one object for all of them.
 *
 * @param format how their addresses lie in memory
 * @param options which options they have
 */
record SocketTraits<A extends SocketAddress>(
    AddressFormat<A> format, SocketOptionCodec.Kind options) {
  static final SocketTraits<InetSocketAddress> TCP =
      new SocketTraits<>(AddressFormat.INET, SocketOptionCodec.Kind.TCP);
  static final SocketTraits<InetSocketAddress> UDP =
      new SocketTraits<>(AddressFormat.INET, SocketOptionCodec.Kind.UDP);
  static final SocketTraits<UnixAddress> UNIX =
      new SocketTraits<>(AddressFormat.UNIX, SocketOptionCodec.Kind.UNIX);
}
