package dev.epoll.coroutines

import dev.epoll.fd.SignalFd
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.flow

/**
 * Takes a signal, and suspends as long as none is pending. Cancellable while it suspends; no signal is taken then.
 *
 * @throws ClosedChannelException if the descriptor is closed, before or while waiting
 */
public suspend fun SignalFd.take(): SignalFd.Event {
    while (true) {
        val event = tryTake()
        if (event != null) return event
        registration().awaitReadable()
    }
}

/**
 * The signals as they come. The flow ends when the descriptor is closed, and fails as [take]. A collector that is
 * cancelled at the moment a signal comes may miss that one; others go on pending, for the next collector.
 */
public fun SignalFd.signals(): Flow<SignalFd.Event> = flow {
    while (true) emit(take())
}
    .catch { if (it !is ClosedChannelException || isOpen) throw it }
