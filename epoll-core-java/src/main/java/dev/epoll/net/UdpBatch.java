package dev.epoll.net;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.MessageHeader;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.SocketAddresses;
import dev.epoll.sys.Syscalls;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * UDP messages that are sent, or were received, by one system call: {@link
 * UdpSocket#trySend(UdpBatch)} and {@link UdpSocket#tryReceive(UdpBatch)}. Its memory is used again
 * and again. A batch that was received can be sent: each message goes back to its sender.
 *
 * <pre>
 *   0                    first         end        capacity
 *   | already sent       | the messages | room     |
 * </pre>
 *
 * <p>Thread: one at a time.
 */
public final class UdpBatch {
  private static final Syscalls SYSCALLS = Backend.syscalls();
  private static final int NAME_SIZE = 128;

  /** Kernel: a call moves at most this many (UIO_MAXIOV). */
  private static final int MAX_CAPACITY = 1024;

  private final int capacity;
  private final int maxBytes;
  private final NativeMemory headers;
  private final NativeMemory iovecs;
  private final NativeMemory names;
  private final NativeMemory bytes;
  private int first;
  private int end;

  private UdpBatch(int capacity, int maxBytes) {
    this.capacity = capacity;
    this.maxBytes = maxBytes;
    this.headers = NativeMemory.allocate(SYSCALLS, capacity * MessageHeader.MMSG_SIZE);
    this.iovecs = NativeMemory.allocate(SYSCALLS, capacity * MessageHeader.IOVEC_SIZE);
    this.names = NativeMemory.allocate(SYSCALLS, capacity * NAME_SIZE);
    this.bytes = NativeMemory.allocate(SYSCALLS, Math.multiplyExact(capacity, maxBytes));
  }

  /**
   * An empty batch.
   *
   * @param capacity how many messages, 1 to 1024
   * @param maxBytes how many bytes a message, 1 to 65,535; what is longer is cut off when received
   * @throws IllegalArgumentException if one is out of its range
   */
  public static UdpBatch allocate(int capacity, int maxBytes) {
    if (capacity < 1 || capacity > MAX_CAPACITY) {
      throw new IllegalArgumentException(
          "capacity is " + capacity + ": give 1 to " + MAX_CAPACITY + " messages");
    }
    if (maxBytes < 1 || maxBytes > 0xffff) {
      throw new IllegalArgumentException("maxBytes is " + maxBytes + ": give 1 to 65535");
    }
    return new UdpBatch(capacity, maxBytes);
  }

  /** How many messages it has room for. */
  public int capacity() {
    return capacity;
  }

  /** How many bytes it has room for, of each message. */
  public int maxBytes() {
    return maxBytes;
  }

  /** How many messages it holds: that are still to be sent, or that were received. */
  public int size() {
    return end - first;
  }

  /** Whether it holds no message. */
  public boolean isEmpty() {
    return end == first;
  }

  /** Forgets all messages. */
  public void clear() {
    first = 0;
    end = 0;
  }

  /**
   * Forgets the first message, such as one that cannot be sent.
   *
   * @throws NoSuchElementException if there is none
   */
  public void removeFirst() {
    if (isEmpty()) {
      throw new NoSuchElementException("the batch is empty");
    }
    first++;
  }

  /**
   * Adds a message to be sent to {@code target}: a copy of what remains in {@code source}.
   *
   * @return false if there is no room for one more
   * @throws IllegalArgumentException if it has more than {@link #maxBytes()}
   * @throws java.nio.channels.UnresolvedAddressException if {@code target} has no address
   */
  public boolean add(ByteBuffer source, InetSocketAddress target) {
    return put(source, Objects.requireNonNull(target, "target"));
  }

  /** The same, to be sent to whom the socket is connected to. */
  public boolean add(ByteBuffer source) {
    return put(source, null);
  }

  private boolean put(ByteBuffer source, @Nullable InetSocketAddress target) {
    int count = source.remaining();
    if (count > maxBytes) {
      throw new IllegalArgumentException(
          "a message of " + count + " bytes: this batch has room for " + maxBytes);
    }
    if (isEmpty()) {
      clear();
    }
    if (end == capacity) {
      return false;
    }
    int nameLength = target == null ? 0 : AddressFormat.INET.put(name(end), target);
    describe(end, count, nameLength);
    bytes.buffer().put(end * maxBytes, source, source.position(), count);
    source.position(source.limit());
    end++;
    return true;
  }

  private void describe(int index, int count, int nameLength) {
    int header = index * MessageHeader.MMSG_SIZE;
    MessageHeader.clear(headers.buffer(), header);
    putLength(index, count);
    long iovec = iovecs.address() + (long) index * MessageHeader.IOVEC_SIZE;
    MessageHeader.putIovecs(headers.buffer(), header, iovec, 1);
    if (nameLength > 0) {
      long nameAddress = names.address() + (long) index * NAME_SIZE;
      MessageHeader.putName(headers.buffer(), header, nameAddress, nameLength);
    }
  }

  /** How many bytes message {@code index} has, or has room for. */
  private void putLength(int index, int count) {
    long address = bytes.address() + (long) index * maxBytes;
    MessageHeader.putIovec(iovecs.buffer(), index * MessageHeader.IOVEC_SIZE, address, count);
  }

  private ByteBuffer name(int index) {
    return names.buffer().slice(index * NAME_SIZE, NAME_SIZE).order(ByteOrder.nativeOrder());
  }

  private int headerOf(int index) {
    return (first + Objects.checkIndex(index, size())) * MessageHeader.MMSG_SIZE;
  }

  /**
   * The bytes of message {@code index}; valid until the batch is used again.
   *
   * @throws IndexOutOfBoundsException if there are not so many
   */
  public ByteBuffer bytes(int index) {
    int iovec = (first + Objects.checkIndex(index, size())) * MessageHeader.IOVEC_SIZE;
    int count = MessageHeader.iovecLength(iovecs.buffer(), iovec);
    return bytes.buffer().slice((first + index) * maxBytes, count);
  }

  /**
   * Who sent message {@code index} that was received.
   *
   * @throws IndexOutOfBoundsException if there are not so many
   * @throws IllegalStateException if it was added, and has no target
   */
  public InetSocketAddress sender(int index) {
    int length = MessageHeader.nameLength(headers.buffer(), headerOf(index));
    if (length == 0) {
      throw new IllegalStateException("message " + index + " was added without a target");
    }
    return AddressFormat.INET.get(name(first + index), length);
  }

  /**
   * Whether message {@code index} was longer than there was room, and the rest of it is lost.
   *
   * @throws IndexOutOfBoundsException if there are not so many
   */
  public boolean isTruncated(int index) {
    return (MessageHeader.flags(headers.buffer(), headerOf(index)) & Linux.MSG_TRUNC) != 0;
  }

  /** One call, and what becomes of the batch by it. */
  interface Exchange {
    boolean isEmpty();

    int on(int fd);

    void done(int count);
  }

  Exchange sending() {
    return new Exchange() {
      @Override
      public boolean isEmpty() {
        return UdpBatch.this.isEmpty();
      }

      @Override
      public int on(int fd) {
        long address = headers.address() + (long) first * MessageHeader.MMSG_SIZE;
        return SYSCALLS.sendmmsg(fd, address, size(), Linux.MSG_NOSIGNAL);
      }

      @Override
      public void done(int count) {
        first += count;
      }
    };
  }

  Exchange receiving() {
    clear();
    for (int i = 0; i < capacity; i++) {
      describe(i, maxBytes, SocketAddresses.MAX_SIZE);
    }
    return new Exchange() {
      @Override
      public boolean isEmpty() {
        return false;
      }

      @Override
      public int on(int fd) {
        return SYSCALLS.recvmmsg(fd, headers.address(), capacity, 0, 0);
      }

      @Override
      public void done(int count) {
        end = count;
        // So that they can be sent on as they came, and not with what their room held before.
        for (int i = 0; i < count; i++) {
          putLength(i, MessageHeader.moved(headers.buffer(), i * MessageHeader.MMSG_SIZE));
        }
      }
    };
  }
}
