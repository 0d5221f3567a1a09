package dev.epoll.coroutines

import dev.epoll.Cancellable
import dev.epoll.Poller
import dev.epoll.Readiness
import dev.epoll.Waiter
import java.io.IOException
import java.time.Duration
import java.util.concurrent.RejectedExecutionException
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.cancel

/**
 * A dispatcher that runs coroutines on the poller thread, one at a time, in turn with the events that resume them. What
 * is started or resumed on that thread goes on there without being queued. `delay` and `withTimeout` use the poller's
 * timers.
 *
 * Such coroutines must not block, and one that goes on without ever waiting should call `yield()` now and then: until
 * it does, no event, timer or other coroutine of this poller has its turn. When the poller is closed, those that still
 * run on it are cancelled, and end on [Dispatchers.IO].
 */
public fun Poller.asCoroutineDispatcher(): CoroutineDispatcher = PollerDispatcher(this)

/**
 * Whether a coroutine of this context that is resumed by an event needs nothing from its dispatcher. Then it can be
 * resumed as it is, without the object in which a dispatcher would wrap it, which each coroutine that waits would hold.
 */
internal fun CoroutineContext.goesOnHere(): Boolean {
    val dispatcher = get(ContinuationInterceptor)
    return dispatcher is PollerDispatcher && !dispatcher.isDispatchNeeded(this)
}

@OptIn(InternalCoroutinesApi::class)
private class PollerDispatcher(private val poller: Poller) : CoroutineDispatcher(), Delay {
    override fun isDispatchNeeded(context: CoroutineContext): Boolean = !poller.inPollerThread()

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        try {
            poller.execute(block)
        } catch (e: RejectedExecutionException) {
            // A coroutine that is never run would never end: it is cancelled, and ends elsewhere.
            context.cancel(closed(e))
            Dispatchers.IO.dispatch(context, block)
        }
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    override fun scheduleResumeAfterDelay(timeMillis: Long, continuation: CancellableContinuation<Unit>) {
        val timer =
            schedule(
                timeMillis,
                onTime = { with(continuation) { resumeUndispatched(Unit) } },
                onClose = {
                    continuation.context.cancel(it)
                    continuation.cancel(it)
                },
            )
        continuation.invokeOnCancellation { timer.cancel() }
    }

    override fun invokeOnTimeout(timeMillis: Long, block: Runnable, context: CoroutineContext): DisposableHandle {
        val timer = schedule(timeMillis, onTime = { block.run() }, onClose = { context.cancel(it) })
        return DisposableHandle { timer.cancel() }
    }

    /** One of [onTime] and [onClose] is called, once, unless the result is cancelled first. */
    private fun schedule(
        timeMillis: Long,
        onTime: () -> Unit,
        onClose: (CancellationException) -> Unit,
    ): Cancellable =
        try {
            poller.schedule(
                Duration.ofMillis(timeMillis),
                object : Waiter {
                    override fun ready(readiness: Readiness) = onTime()

                    override fun failed(cause: IOException) = onClose(closed(cause))
                },
            )
        } catch (e: IOException) {
            onClose(closed(e))
            Cancellable { false }
        }

    private fun closed(cause: Exception) =
        CancellationException("the poller that dispatches this coroutine is closed", cause)

    override fun equals(other: Any?): Boolean = other is PollerDispatcher && other.poller === poller

    override fun hashCode(): Int = System.identityHashCode(poller)

    override fun toString(): String = "$poller.asCoroutineDispatcher"
}
