package dev.epoll.coroutines

import dev.epoll.fd.SignalFd
import kotlinx.coroutines.flow.Flow

/**
 * Takes a signal, and suspends as long as none is pending. Cancellable while it suspends; no signal is taken then.
 *
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 */
public suspend fun SignalFd.take(): SignalFd.Event {
    while (true) {
        val event = tryTake()
        if (event != null) return event
        registration().awaitReadable()
    }
}

/**
 * The signals as they come. The flow ends when the descriptor is closed, and fails as [take]. Cancelling the collector
 * loses no signal: what it was not given is left for the next.
 */
public fun SignalFd.signals(): Flow<SignalFd.Event> = TakenUntilClosed(this) { take() }
