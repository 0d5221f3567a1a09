package dev.epoll.coroutines

import dev.epoll.Interest
import dev.epoll.Poller
import dev.epoll.fd.RegularFile
import dev.epoll.net.ConnectAttempts
import dev.epoll.net.ReceivedFds
import dev.epoll.net.StreamSocket
import dev.epoll.net.TcpOptions
import dev.epoll.net.TcpStream
import dev.epoll.net.UnixStream
import java.io.IOException
import java.net.InetSocketAddress
import java.nio.ByteBuffer

/**
 * Connects to [remote], and suspends until that is done. If it is cancelled or fails, nothing is left open.
 *
 * @throws java.net.ConnectException if the connection is refused, or timed out
 * @throws java.net.NoRouteToHostException if the host cannot be reached
 * @throws java.nio.channels.UnresolvedAddressException if [remote] has no address
 */
public suspend fun Poller.connect(remote: InetSocketAddress, options: TcpOptions = TcpOptions.none()): TcpStream {
    val stream = TcpStream.startConnect(this, remote, options)
    try {
        while (!stream.finishConnect()) stream.registration().awaitWritable()
        return stream
    } catch (e: Throwable) {
        stream.close()
        throw e
    }
}

/**
 * Connects to the first of [remotes] that takes the connection, such as the addresses of one host, tried in turn. If it
 * is cancelled or fails, nothing is left open.
 *
 * @throws IllegalArgumentException if [remotes] is empty
 * @throws IOException why the last one failed; why the others did is suppressed in it
 */
public suspend fun Poller.connect(
    remotes: List<InetSocketAddress>,
    options: TcpOptions = TcpOptions.none(),
): TcpStream {
    val attempts = ConnectAttempts(remotes)
    while (true) {
        val remote = attempts.next()
        try {
            return connect(remote, options)
        } catch (e: IOException) {
            attempts.failed(e)
        }
    }
}

/**
 * Sends [count] bytes of [file] from [position] on, without copying them through this process, and suspends as long as
 * the connection takes nothing. The thread waits for the disk, where the file is not in memory.
 *
 * Cancellable while it suspends; what was sent by then is not known to the caller.
 *
 * @return how many bytes: fewer than [count] only if the file ends before
 * @throws IllegalArgumentException if [position] or [count] is negative
 * @throws java.nio.channels.ClosedChannelException if the stream or the file is closed, before or while waiting
 * @throws IOException if it failed, as [write]
 */
public suspend fun StreamSocket<*>.sendFile(
    file: RegularFile,
    position: Long = 0,
    count: Long = (file.size() - position).coerceAtLeast(0),
): Long {
    var sent = 0L
    do {
        val now = trySendFile(file, position + sent, count - sent)
        if (now < 0) return sent
        if (now == 0L && sent < count) awaitWritable()
        sent += now
    } while (sent < count)
    return sent
}

/**
 * Sends one urgent byte, and suspends as long as the connection takes nothing.
 *
 * @throws java.nio.channels.ClosedChannelException if the stream is closed, before or while waiting
 * @throws IOException if it failed, as [write]
 */
public suspend fun TcpStream.writeUrgent(value: Byte) {
    while (!tryWriteUrgent(value)) awaitWritable()
}

/**
 * Reads the next urgent byte, and suspends as long as there is none. Cancellable while it suspends; nothing is read
 * then.
 *
 * @return the byte, or null once the connection is over in both directions
 * @throws IllegalStateException if [TcpStream.SO_OOBINLINE] is set
 * @throws java.nio.channels.ClosedChannelException if the stream is closed, before or while waiting
 * @throws IOException if it failed, as [read]
 */
public suspend fun TcpStream.readUrgent(): Byte? {
    while (true) {
        val value = tryReadUrgent()
        if (value != TcpStream.NO_URGENT_BYTE) return value.toByte()
        // Kernel: such a byte is announced until it is read in its place, and never given here.
        check(!getOption(TcpStream.SO_OOBINLINE)) { "SO_OOBINLINE is set: urgent bytes are among the others, use read" }
        val readiness = registration().await(Interest.PRIORITY)
        if (!readiness.isPriority && readiness.isHangup) return null
    }
}

/**
 * Writes some of [source], at least a byte, and duplicates of [fds] with the first byte; suspends as long as the
 * connection takes nothing. The peer receives them by [readWithFds]. Cancellable while it suspends; nothing is sent
 * then.
 *
 * @return how many bytes
 * @throws IllegalArgumentException if [source] holds no byte, or [fds] are more than 253
 * @throws dev.epoll.SyscallException EBADF if one of [fds] is not open
 */
public suspend fun UnixStream.writeWithFds(source: ByteBuffer, vararg fds: Int): Int {
    while (true) {
        val count = tryWriteWithFds(source, *fds)
        if (count > 0) return count
        awaitWritable()
    }
}

/**
 * Reads what is there into [target], and the descriptors that came with it into [fds]; suspends as long as there is
 * nothing. Cancellable while it suspends; nothing is read then.
 *
 * @return how many bytes, or -1 at the end of the stream
 * @throws IllegalArgumentException if [target] is read-only or has no room
 */
public suspend fun UnixStream.readWithFds(target: ByteBuffer, fds: ReceivedFds): Int {
    while (true) {
        val count = tryReadWithFds(target, fds)
        if (count != 0) return count
        awaitReadable()
    }
}
