package dev.epoll.coroutines

import dev.epoll.fd.TimerFd
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlinx.coroutines.flow.Flow

/** Expires after [delay], and if there is a [period] again after each. Otherwise as [TimerFd.setAfter] of Java. */
public fun TimerFd.setAfter(delay: Duration, period: Duration = Duration.ZERO) {
    setAfter(delay.toJavaDuration(), period.toJavaDuration())
}

/** Expires after each [period], first when one has passed. Otherwise as [TimerFd.setEvery] of Java. */
public fun TimerFd.setEvery(period: Duration) {
    setEvery(period.toJavaDuration())
}

/** Expires when the clock shows [first], and again after each [period]. Otherwise as [TimerFd.setAt] of Java. */
public fun TimerFd.setAt(
    first: Instant,
    period: Duration,
    onClockSet: TimerFd.OnClockSet = TimerFd.OnClockSet.FOLLOW,
) {
    setAt(first, period.toJavaDuration(), onClockSet)
}

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
