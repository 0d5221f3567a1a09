package dev.epoll.coroutines

import dev.epoll.Poller
import dev.epoll.net.ListenerSocket
import dev.epoll.net.StreamSocket
import java.net.SocketAddress
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.flow.Flow

/**
 * Accepts a connection, which stays with [poller], and suspends as long as none is waiting. Cancellable while it
 * suspends; no connection is lost by it.
 *
 * @throws ClosedChannelException if the listener is closed, before or while waiting
 * @throws dev.epoll.SyscallException EMFILE or ENFILE: no descriptor is free; the connection goes on waiting
 */
public suspend fun <A : SocketAddress, S : StreamSocket<A>> ListenerSocket<A, S>.accept(poller: Poller = poller()): S {
    while (true) {
        val stream = tryAccept(poller)
        if (stream != null) return stream
        registration().awaitReadable()
    }
}

/**
 * The connections that come in, each for the collector to close. The flow ends when the listener is closed, and fails
 * as [accept]: after EMFILE it may be collected again.
 *
 * What is between the listener and the collector is lost when that is cancelled: operators with a buffer, such as
 * `buffer` and `flowOn`, do not close what they drop. A coroutine for each connection is best launched with
 * `CoroutineStart.UNDISPATCHED`, so that it reaches the `use` which closes the connection even if it is cancelled at
 * once.
 */
public fun <A : SocketAddress, S : StreamSocket<A>> ListenerSocket<A, S>.connections(): Flow<S> =
    TakenUntilClosed(this) { accept() }
