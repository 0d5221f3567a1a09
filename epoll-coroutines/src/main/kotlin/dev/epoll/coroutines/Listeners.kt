package dev.epoll.coroutines

import dev.epoll.Poller
import dev.epoll.SyscallException
import dev.epoll.net.ListenerSocket
import dev.epoll.net.StreamSocket
import java.lang.System.Logger.Level.WARNING
import java.net.SocketAddress
import java.nio.channels.ClosedChannelException
import java.time.ZoneId
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow

/**
 * Accepts a connection, which stays with [poller], and suspends as long as none is waiting. Cancellable while it
 * suspends; no connection is lost by it. Does not suspend while connections are waiting: a loop of it that is to leave
 * others their turn has to `yield()` now and then, as [connections] does.
 *
 * @throws ClosedChannelException if the listener is closed, before or while waiting
 * @throws dev.epoll.SyscallException EMFILE or ENFILE: no descriptor is free, ENOBUFS or ENOMEM: no memory; the
 *   connection goes on waiting. ENOSPC or ENOMEM of epoll_ctl: [poller] cannot watch one more; the connection is closed
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
 * as [accept], but for a shortage: EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC are logged, once until a connection is
 * accepted again, and after a tenth of a second it tries again. Where no descriptor is free, clients wait in the
 * backlog meanwhile; where the poller has no room for one more (ENOSPC, ENOMEM), the one that was accepted is closed.
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
    /** For all who collect the flow. */
    @Volatile private var isShort = false

    init {
        // Logging reads files the first time, its configuration and the time zones: later there may be no descriptor.
        LOGGER.isLoggable(WARNING)
        ZoneId.systemDefault()
    }

    suspend fun next(): S {
        while (true) {
            try {
                return listener.accept().also { isShort = false }
            } catch (e: SyscallException) {
                if (e.errnoName() !in SHORTAGES) throw e
                if (!isShort) report(e)
                isShort = true
                delay(PAUSE)
            }
        }
    }

    private fun report(shortage: SyscallException) {
        try {
            LOGGER.log(WARNING, "no connection can be accepted for now", shortage)
        } catch (_: Throwable) {
            // A log handler is somebody else's code, which may need a descriptor too; accepting must go on.
        }
    }

    private companion object {
        val SHORTAGES = setOf("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ENOSPC")
        val PAUSE = 100.milliseconds
        val LOGGER: System.Logger = System.getLogger(ListenerSocket::class.java.name)
    }
}
