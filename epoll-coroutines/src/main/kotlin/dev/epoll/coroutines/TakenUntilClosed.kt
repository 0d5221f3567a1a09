package dev.epoll.coroutines

import java.nio.channels.Channel
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.yield

/**
 * So many are taken before others on the same thread have their turn, who would else wait for one that never runs dry.
 */
private const val MOST_IN_A_TURN = 16

/**
 * What [take] gives again and again, until [channel] is closed.
 *
 * Not by `flow { }`, whose `emit` may throw a cancellation instead of handing over what was taken.
 */
internal class TakenUntilClosed<T>(private val channel: Channel, private val take: suspend () -> T) : Flow<T> {
    override suspend fun collect(collector: FlowCollector<T>) {
        var count = 0
        while (true) {
            if (++count % MOST_IN_A_TURN == 0) yield() else currentCoroutineContext().ensureActive()
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
