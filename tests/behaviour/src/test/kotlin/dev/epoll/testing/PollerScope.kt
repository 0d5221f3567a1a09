package dev.epoll.testing

import dev.epoll.Poller
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.examples.virtualThreads
import io.kotest.assertions.withClue
import io.kotest.matchers.shouldBe
import java.io.Closeable
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.withTimeoutOrNull

private val LIMIT = 30.seconds

/** What a test of coroutines works with. */
class PollerScope(val poller: Poller, val fds: Fds, scope: CoroutineScope) : CoroutineScope by scope {
    private val closeAtEnd = ArrayDeque<Closeable>()

    /** Closes [closeable] at the end of the test. */
    fun <T : Closeable> keep(closeable: T): T = closeable.also { closeAtEnd.addFirst(it) }

    /** A coroutine that has begun, and waits or has ended when this returns. */
    fun <T> waiting(block: suspend CoroutineScope.() -> T): Deferred<T> =
        async(start = CoroutineStart.UNDISPATCHED, block = block)

    /** How many awaits are waiting. */
    fun waiters(): Int = poller.snapshot().registrations().sumOf { it.waiters() }

    /** The dispatchers that must make no difference. */
    fun dispatchers(): Map<String, CoroutineDispatcher> = buildMap {
        put("Default", Dispatchers.Default)
        put("Unconfined", Dispatchers.Unconfined)
        put("poller", poller.asCoroutineDispatcher())
        if (Runtime.version().feature() >= 21) put("virtual", virtualThreads())
    }

    internal fun closeAll() = closeAtEnd.forEach { it.close() }
}

/**
 * Runs [body] on a poller of its own, one of each kind, and checks that nothing is left of it: no fd, no waiter, no
 * outcome uncounted.
 */
suspend fun withPoller(body: suspend PollerScope.() -> Unit) =
    PollerKind.available().forEach { kind -> withClue(kind) { withPoller(kind, body) } }

private suspend fun withPoller(kind: PollerKind, body: suspend PollerScope.() -> Unit) = limited {
    Poller.shared()
    val before = kernelObjects()
    Fds().use { fds ->
        kind.open().use { poller ->
            coroutineScope {
                val scope = PollerScope(poller, fds, this)
                try {
                    scope.body()
                } finally {
                    scope.closeAll()
                }
            }
            until("every await has one outcome: ${poller.stats()}") {
                poller.stats().run { arms() == resumes() + cancels() + failures() }
            }
            withClue(poller.snapshot()) { poller.snapshot().registrations().sumOf { it.waiters() } shouldBe 0 }
        }
    }
    // There may be fewer: the JDK closes the pipes of a process that has ended in its own time.
    until("no fd is left: before $before, now ${kernelObjects()}") { kernelObjects() <= before }
}

/** How many sockets, pipes and such this process has open; the class loader's files do not count. */
private fun kernelObjects(): Int = Fds.openNow().values.count { !it.startsWith("/") }

/**
 * Runs [block] on Dispatchers.Default; fails if it has not ended after a long time. It has nothing of the context that
 * Kotest gives a test, for in that there is a thread context element, which few programs have.
 */
suspend fun limited(block: suspend CoroutineScope.() -> Unit) {
    val plain = CoroutineScope(SupervisorJob(currentCoroutineContext().job) + Dispatchers.Default)
    try {
        plain.async { withTimeoutOrNull(LIMIT) { block() } }.await()
            ?: throw AssertionError("did not end within $LIMIT")
    } finally {
        plain.cancel()
    }
}

/** Suspends until [condition] is true. */
suspend fun until(what: String, condition: () -> Boolean) {
    withTimeoutOrNull(LIMIT / 3) { while (!condition()) delay(1) } ?: throw AssertionError("did not happen: $what")
}

/** Nothing happens to these for a while. */
suspend fun stillWait(vararg jobs: Job) {
    delay(50)
    jobs.forEach { withClue(it) { it.isCompleted shouldBe false } }
}
