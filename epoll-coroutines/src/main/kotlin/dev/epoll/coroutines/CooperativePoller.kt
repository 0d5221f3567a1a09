package dev.epoll.coroutines

import dev.epoll.Poller
import dev.epoll.PollerConfig
import dev.epoll.PollerDriver
import dev.epoll.PollerRounds
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.async
import kotlinx.coroutines.yield

/**
 * A poller whose rounds are run by a coroutine on this dispatcher: for awaits by coroutines of the same dispatcher.
 * What an event resumes is then next in the queue of the thread that found it, and no other thread need be woken. Close
 * the poller before the dispatcher: one whose dispatcher is closed has failed.
 *
 * [Poller.close] does not wait for the coroutine: awaits are told, and accepted tasks and coroutines of
 * [asCoroutineDispatcher] run, on the thread that closes, or in a round that is under way there or elsewhere. Where it
 * is called by a coroutine of [Dispatchers.Unconfined], they run once that coroutine suspends or ends.
 *
 * @throws IllegalArgumentException if this is [Dispatchers.Unconfined], which has no threads
 * @throws dev.epoll.SyscallException EMFILE or ENFILE: it needs two descriptors, and the shared poller two
 * @throws java.io.IOException if the shared poller has failed
 */
public fun CoroutineDispatcher.openPoller(config: PollerConfig = PollerConfig.defaults()): Poller {
    require(this != Dispatchers.Unconfined) { "$this has no threads that could run a poller: give another dispatcher" }
    return Poller.open(config, CoroutineDriver(this, config.threadName))
}

private class CoroutineDriver(private val dispatcher: CoroutineDispatcher, private val name: String) : PollerDriver {
    override fun start(rounds: PollerRounds) {
        CoroutineScope(AlwaysDispatched(dispatcher) + CoroutineName(name))
            // Not launch: a failure is for rounds.fail alone, and for no exception handler.
            .async { drive(rounds) }
            // Not in the coroutine itself: one whose dispatcher is closed by now never begins.
            .invokeOnCompletion { cause -> if (cause != null) rounds.fail(cause) }
    }

    private suspend fun drive(rounds: PollerRounds) {
        while (!rounds.isOver) {
            if (rounds.run()) yield() else awaitOn(rounds.registration()) { rounds.arm(it) }
        }
    }
}

/**
 * Runs on [dispatcher], and never in the middle of what it does: there, what a round resumes would be queued until the
 * round is over, and run outside of it.
 */
private class AlwaysDispatched(private val dispatcher: CoroutineDispatcher) : CoroutineDispatcher() {
    override fun dispatch(context: CoroutineContext, block: Runnable) = dispatcher.dispatch(context, block)

    @InternalCoroutinesApi
    override fun dispatchYield(context: CoroutineContext, block: Runnable) = dispatcher.dispatchYield(context, block)

    override fun toString(): String = dispatcher.toString()
}
