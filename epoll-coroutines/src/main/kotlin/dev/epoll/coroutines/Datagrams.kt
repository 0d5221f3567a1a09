package dev.epoll.coroutines

import dev.epoll.net.DatagramEndpoint
import dev.epoll.net.UdpBatch
import dev.epoll.net.UdpSocket
import java.net.SocketAddress
import java.nio.ByteBuffer
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.delay

/**
 * Receives a message into [target], and suspends as long as there is none. What [target] has no room for is lost.
 * Cancellable while it suspends; no message is lost by that.
 *
 * @return who sent it
 * @throws java.net.PortUnreachableException if this socket is connected, and nobody has the port of a message that it
 *   sent
 * @throws IllegalArgumentException if [target] is read-only
 * @throws java.nio.channels.ClosedChannelException if the socket is closed, before or while waiting
 */
public suspend fun <A : SocketAddress> DatagramEndpoint<A>.receive(target: ByteBuffer): A {
    while (true) {
        val sender = tryReceive(target)
        if (sender != null) return sender
        registration().awaitReadable()
    }
}

/**
 * Sends what remains in [source], as one message, to whom this socket is connected to; suspends as long as it takes
 * nothing. Cancellable while it suspends; nothing is sent then.
 *
 * @throws java.nio.channels.NotYetConnectedException if it is not connected
 * @throws java.net.PortUnreachableException if nobody has the port of an earlier message
 * @throws dev.epoll.SyscallException EMSGSIZE if the message is too long
 * @throws java.nio.channels.ClosedChannelException if the socket is closed, before or while waiting
 */
public suspend fun DatagramEndpoint<*>.send(source: ByteBuffer) {
    while (!trySend(source)) registration().awaitWritable()
}

/** Sends what remains in [source], as one message, to [target]. Otherwise as [send]. */
public suspend fun <A : SocketAddress> DatagramEndpoint<A>.send(source: ByteBuffer, target: A) {
    while (!trySend(source, target)) {
        if (isWritabilityMute) {
            // The delay does not end with the poller.
            registration().ensureOpen()
            delay(DatagramEndpoint.RETRY.toKotlinDuration())
        } else {
            registration().awaitWritable()
        }
    }
}

/**
 * Receives as many messages as are there into [batch], at least one, and suspends as long as there is none. Cancellable
 * while it suspends; no message is lost by that.
 *
 * @return how many
 * @throws java.io.IOException as [receive]
 */
public suspend fun UdpSocket.receive(batch: UdpBatch): Int {
    while (true) {
        val count = tryReceive(batch)
        if (count > 0) return count
        registration().awaitReadable()
    }
}

/**
 * Sends all messages of [batch], and suspends as long as the socket takes nothing. If it is cancelled or fails, those
 * that were not sent are still in the batch.
 *
 * @throws java.io.IOException why a message could not be sent, as [send]; it is the first in the batch
 */
public suspend fun UdpSocket.send(batch: UdpBatch) {
    while (!batch.isEmpty) {
        if (trySend(batch) == 0) registration().awaitWritable()
    }
}
