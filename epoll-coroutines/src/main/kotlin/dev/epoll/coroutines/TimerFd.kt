package dev.epoll.coroutines

import dev.epoll.fd.TimerFd
import kotlinx.coroutines.flow.Flow

/**
 * Takes the expirations since they were last taken, and suspends as long as there are none; also while the timer is not
 * armed, for somebody else may set it. Cancellable while it suspends; nothing is taken then.
 *
 * @return how many, at least 1
 * @throws dev.epoll.fd.ClockSetException if the clock was set, and the timer was to be told
 * @throws java.nio.channels.ClosedChannelException if the timer is closed, before or while waiting
 */
public suspend fun TimerFd.take(): Long {
    while (true) {
        val expirations = tryTake()
        if (expirations != TimerFd.NONE) return expirations
        registration().awaitReadable()
    }
}

/**
 * The expirations of a timer as they come: each element is how many there were since the last, so that a slow collector
 * misses none of them. The flow follows new settings, ends when the timer is closed, and fails as [take]: after
 * [dev.epoll.fd.ClockSetException] it may be collected again.
 *
 * Cancelling the collector loses no expiration: what it was not given is left for the next.
 */
public fun TimerFd.ticks(): Flow<Long> = TakenUntilClosed(this) { take() }
