package dev.epoll.net;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.fd.OwnedFd;
import dev.epoll.sys.Errno;
import dev.epoll.sys.SocketMessage;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.NotYetConnectedException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A socket of messages, each sent and received whole.
 *
 * <p>Thread: every method from any.
 *
 * @param <A> the type of its addresses
 */
public abstract sealed class DatagramEndpoint<A extends SocketAddress> extends SocketFd<A>
    permits UdpSocket, UnixDatagramSocket {
  DatagramEndpoint(Poller poller, OwnedFd fd, SocketTraits<A> traits) throws IOException {
    super(poller, fd, traits);
  }

  /** After how long to try again to send where {@link #isWritabilityMute()}. */
  public static final Duration RETRY = Duration.ofMillis(1);

  /** Whether failures are those of Unix sockets. */
  abstract boolean isUnix();

  /**
   * Whether awaiting {@link Interest#WRITABLE} does not tell when a message that would block can be
   * sent to a target, so that all one can do is to try again soon. Kernel: so it is with Unix
   * sockets, where the queue that is full is the target's: poll(2) looks at it only if the socket
   * is connected there.
   */
  public final boolean isWritabilityMute() {
    return isUnix();
  }

  /**
   * Binds this socket to {@code local}.
   *
   * @throws java.net.BindException if the address is in use, or may not be taken, or this socket is
   *     bound already
   */
  final void bindTo(A local) throws IOException {
    try {
      call("bind", fd -> SocketCalls.withAddress(format(), local, fd, SYSCALLS::bind));
    } catch (SyscallException e) {
      throw SocketExceptions.ofBind("bind", e.errno(), fd(), local);
    }
  }

  /**
   * Sends only to {@code remote} from now on, and receives only from it. May be called again, for
   * another one.
   *
   * @throws java.net.ConnectException if nobody has that address (Unix), or it may not be sent to
   * @throws java.nio.channels.UnresolvedAddressException if {@code remote} has no address
   */
  final void connectTo(A remote) throws IOException {
    long result;
    try {
      result =
          call("connect", fd -> SocketCalls.withAddress(format(), remote, fd, SYSCALLS::connect));
    } catch (SyscallException e) {
      throw SocketExceptions.ofConnect(e.errno(), fd(), remote);
    }
    // Kernel: EAGAIN says that no port is free for a UDP socket that has none yet.
    if (result == WOULD_BLOCK) {
      throw SocketExceptions.ofConnect(Errno.EAGAIN.number, fd(), remote);
    }
  }

  /**
   * Sends what remains in {@code source}, as one message, to whom this socket is connected to, and
   * never waits.
   *
   * @return false if it takes nothing now; nothing was sent then
   * @throws java.nio.channels.NotYetConnectedException if it is not connected
   * @throws java.net.PortUnreachableException if nobody has the port of an earlier message
   * @throws SyscallException EMSGSIZE if the message is too long
   */
  public final boolean trySend(ByteBuffer source) throws IOException {
    return send(source, null);
  }

  /**
   * Sends what remains in {@code source}, as one message, to {@code target}, and never waits.
   *
   * @return false if it takes nothing now; nothing was sent then
   * @throws java.net.PortUnreachableException if nobody has the port of an earlier message
   * @throws SyscallException EMSGSIZE if the message is too long
   */
  public final boolean trySend(ByteBuffer source, A target) throws IOException {
    return send(source, Objects.requireNonNull(target, "target"));
  }

  private boolean send(ByteBuffer source, @Nullable A target) throws IOException {
    try {
      return sendMessage(source, source.remaining(), target) != WOULD_BLOCK;
    } catch (SyscallException e) {
      throw failure(e);
    }
  }

  /**
   * What a failed call means.
   *
   * @throws NotYetConnectedException if it sent to no target, and this socket is not connected
   */
  final IOException failure(SyscallException e) {
    if (e.errno() == Errno.EDESTADDRREQ.number || e.errno() == Errno.ENOTCONN.number) {
      throw new NotYetConnectedException();
    }
    return SocketExceptions.ofDatagram(e, isUnix());
  }

  /**
   * Receives a message into {@code target}, and never waits. What {@code target} has no room for is
   * lost, as with {@link java.nio.channels.DatagramChannel#receive}.
   *
   * @return who sent it, or null if there is none
   * @throws java.net.PortUnreachableException if this socket is connected, and nobody has the port
   *     of a message that it sent
   * @throws IllegalArgumentException if {@code target} is read-only
   */
  public final @Nullable A tryReceive(ByteBuffer target) throws IOException {
    try {
      int room = isUnix() ? target.remaining() : SocketMessage.affordable(target);
      Received<A> received = receiveMessage(target, room, null);
      return received == null ? null : received.sender();
    } catch (SyscallException e) {
      throw failure(e);
    }
  }

  /**
   * A socket of messages for threads.
   *
   * @param <A> the type of its addresses
   */
  public interface Blocking<A> extends AutoCloseable {
    /** Waits for a message; otherwise as {@link DatagramEndpoint#tryReceive}. */
    A receive(ByteBuffer target) throws IOException;

    /** Waits until the message is sent; otherwise as {@link DatagramEndpoint#trySend}. */
    void send(ByteBuffer source, A target) throws IOException;

    /** Waits until the message is sent to whom the socket is connected to. */
    void send(ByteBuffer source) throws IOException;

    /** Closes the socket. */
    @Override
    void close();
  }

  /**
   * This socket for threads. A virtual thread that waits leaves its carrier to others; one that is
   * interrupted gets {@link java.io.InterruptedIOException}, its status set.
   */
  public final Blocking<A> blocking() {
    return new Blocking<>() {
      @Override
      public A receive(ByteBuffer target) throws IOException {
        return blockUntilDone(Interest.READABLE, () -> tryReceive(target));
      }

      @Override
      public void send(ByteBuffer source, A target) throws IOException {
        while (!trySend(source, target)) {
          if (isWritabilityMute()) {
            // PRIORITY never comes here: what ends this wait early is a close.
            block(registration(), Interest.PRIORITY, RETRY);
          } else {
            block(registration(), Interest.WRITABLE, null);
          }
        }
      }

      @Override
      public void send(ByteBuffer source) throws IOException {
        while (!trySend(source)) {
          block(registration(), Interest.WRITABLE, null);
        }
      }

      @Override
      public void close() {
        DatagramEndpoint.this.close();
      }
    };
  }
}
