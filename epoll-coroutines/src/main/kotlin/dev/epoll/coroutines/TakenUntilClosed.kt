package dev.epoll.coroutines

import java.nio.channels.Channel
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector

/**
 * What [take] gives again and again, until [channel] is closed.
 *
 * Not by `flow { }`, whose `emit` may throw a cancellation instead of handing over what was taken.
 */
internal class TakenUntilClosed<T>(private val channel: Channel, private val take: suspend () -> T) : Flow<T> {
    override suspend fun collect(collector: FlowCollector<T>) {
        while (true) {
            currentCoroutineContext().ensureActive()
            val taken =
                try {
                    take()
                } catch (e: ClosedChannelException) {
                    if (channel.isOpen) throw e
                    return
                }
            collector.emit(taken)
        }
    }
}
