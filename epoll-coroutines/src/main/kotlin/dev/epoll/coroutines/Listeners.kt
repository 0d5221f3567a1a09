package dev.epoll.coroutines

import dev.epoll.Poller
import dev.epoll.SyscallException
import dev.epoll.net.ListenerSocket
import dev.epoll.net.StreamSocket
import java.lang.System.Logger.Level.WARNING
import java.net.SocketAddress
import java.nio.channels.ClosedChannelException
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
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
 * as [accept], but for a shortage: where no descriptor, memory or watch is free for one more connection (EMFILE,
 * ENFILE, ENOBUFS, ENOMEM, ENOSPC), that is logged, once until one is accepted again, and tried again after a tenth of
 * a second. Clients wait in the backlog meanwhile.
 *
 * What is between the listener and the collector is lost when that is cancelled: operators with a buffer, such as
 * `buffer` and `flowOn`, do not close what they drop. A coroutine for each connection is best launched with
 * `CoroutineStart.UNDISPATCHED`, so that it reaches the `use` which closes the connection even if it is cancelled at
 * once.
 */
public fun <A : SocketAddress, S : StreamSocket<A>> ListenerSocket<A, S>.connections(): Flow<S> {
    val accepting = Accepting(this)
    return TakenUntilClosed(this) { accepting.next() }
}

/** Accepts, and where there is a shortage says so once and waits. */
private class Accepting<A : SocketAddress, S : StreamSocket<A>>(private val listener: ListenerSocket<A, S>) {
    private var isShort = false

    init {
        // The first use reads a file, and needs a descriptor for that.
        LOGGER.isLoggable(WARNING)
    }

    suspend fun next(): S {
        while (true) {
            try {
                return listener.accept().also { isShort = false }
            } catch (e: SyscallException) {
                if (e.errnoName() !in SHORTAGES) throw e
                if (!isShort) LOGGER.log(WARNING, "no connection can be accepted for now", e)
                isShort = true
                delay(PAUSE)
            }
        }
    }

    private companion object {
        val SHORTAGES = setOf("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ENOSPC")
        val PAUSE = 100.milliseconds
        val LOGGER: System.Logger = System.getLogger(ListenerSocket::class.java.name)
    }
}
