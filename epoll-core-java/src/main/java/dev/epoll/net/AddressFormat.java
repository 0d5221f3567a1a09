package dev.epoll.net;

import dev.epoll.sys.SocketAddresses;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;

/** How the addresses of one kind of sockets lie in native memory. */
interface AddressFormat<A extends SocketAddress> {
  /** Writes {@code address} at the start of {@code memory} and returns its length. */
  int put(ByteBuffer memory, A address);

  /** Reads the address of {@code length} bytes at the start of {@code memory}. */
  A get(ByteBuffer memory, int length);

  /** IPv4 and IPv6. */
  AddressFormat<InetSocketAddress> INET =
      new AddressFormat<>() {
        @Override
        public int put(ByteBuffer memory, InetSocketAddress address) {
          return SocketAddresses.put(memory, resolved(address));
        }

        @Override
        public InetSocketAddress get(ByteBuffer memory, int length) {
          return SocketAddresses.get(memory);
        }
      };

  /** Unix sockets. */
  AddressFormat<UnixAddress> UNIX =
      new AddressFormat<>() {
        @Override
        public int put(ByteBuffer memory, UnixAddress address) {
          return SocketAddresses.putUnix(memory, address.name());
        }

        @Override
        public UnixAddress get(ByteBuffer memory, int length) {
          return UnixAddress.ofName(SocketAddresses.getUnix(memory, length));
        }
      };

  /**
   * The same address.
   *
   * @throws UnresolvedAddressException if it has none
   */
  static InetSocketAddress resolved(InetSocketAddress address) {
    if (address.isUnresolved()) {
      throw new UnresolvedAddressException();
    }
    return address;
  }
}
