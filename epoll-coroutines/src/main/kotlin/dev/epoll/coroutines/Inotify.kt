package dev.epoll.coroutines

import dev.epoll.fd.Inotify
import dev.epoll.fd.InotifyEvent
import kotlinx.coroutines.flow.Flow

/**
 * Takes the next event, and suspends as long as there is none. Cancellable while it suspends; nothing is taken then.
 *
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 */
public suspend fun Inotify.take(): InotifyEvent {
    while (true) {
        val event = tryTake()
        if (event != null) return event
        registration().awaitReadable()
    }
}

/**
 * The events as they come. The flow ends when the descriptor is closed.
 *
 * Each event is taken from the kernel when the collector is ready for it. So a collector that is cancelled or has had
 * enough, as by `first`, leaves the rest to whoever comes next; what is lost is only what an operator with a buffer,
 * such as `buffer` and `flowOn`, holds when it is cancelled. While a collector is slow the kernel keeps the events, as
 * many as it can: then comes one with [dev.epoll.fd.InotifyMask.OVERFLOW].
 */
public fun Inotify.events(): Flow<InotifyEvent> = TakenUntilClosed(this) { take() }
