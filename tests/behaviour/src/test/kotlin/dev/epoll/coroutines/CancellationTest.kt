package dev.epoll.coroutines

import dev.epoll.EventMask
import dev.epoll.testing.Fds
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull

class CancellationTest :
    FunSpec({
        test("a cancelled reader ends with the cancellation, on every dispatcher (#322)") {
            withPoller {
                val registration = poller.register(fds.pipe().a())
                for ((name, dispatcher) in dispatchers()) {
                    withClue(name) {
                        val reader = async(dispatcher) { registration.awaitReadable() }
                        until("it waits") { waiters() == 1 }
                        reader.endsCancelled()
                        waiters() shouldBe 0
                    }
                }
            }
        }

        test("a cancelled writer ends with the cancellation (#323)") {
            withPoller {
                val pair = fds.socketpair()
                Fds.fill(pair.a())
                val registration = poller.register(pair.a())
                waiting { registration.awaitWritable() }.endsCancelled()
                Fds.drain(pair.b())
                registration.awaitWritable().isWritable shouldBe true
            }
        }

        test("cancelling costs no epoll_ctl and no wakeup") {
            withPoller {
                val registration = poller.register(fds.pipe().a())
                val readers = List(10) { waiting { registration.awaitReadable() } }
                val before = poller.stats()
                readers.forEach { it.endsCancelled() }
                val after = poller.stats()
                after.cancels() - before.cancels() shouldBe 10
                after.epollControls() shouldBe before.epollControls()
                after.wakeups() shouldBe before.wakeups()
            }
        }

        test(
            "cancelling the reader leaves the writer waiting, and the reader's interest goes with the next arm (#325)"
        ) {
            withPoller {
                val pair = fds.socketpair()
                Fds.fill(pair.a())
                val registration = poller.register(pair.a())
                val reader = waiting { registration.awaitReadable() }
                val writer = waiting { registration.awaitWritable() }
                reader.endsCancelled()
                Fds.write(pair.b(), 1)
                stillWait(writer)
                poller.snapshot().registrations().single().armed() shouldBe EventMask.OUT
                Fds.drain(pair.b())
                writer.await().isWritable shouldBe true
            }
        }

        test("reader and writer of an fd that was closed under them can be cancelled (#326, #341)") {
            withPoller {
                val pair = fds.socketpair()
                val duplicate = fds.dup(pair.a())
                Fds.fill(pair.a())
                val registration = poller.register(pair.a())
                val reader = waiting { registration.awaitReadable() }
                val writer = waiting { registration.awaitWritable() }
                fds.close(pair.a())
                reader.endsCancelled()
                writer.endsCancelled()
                registration.close()
                poller.awaitWritable(fds.eventfd(0)).isWritable shouldBe true
                fds.close(duplicate)
            }
        }

        test("cancel races with the event: one outcome each time, and no readiness is lost (#328)") {
            withPoller {
                val eventfd = fds.eventfd(0)
                val registration = poller.register(eventfd)
                val outcomes = AtomicInteger()
                repeat(10_000) { round ->
                    val start = if (round % 2 == 0) CoroutineStart.UNDISPATCHED else CoroutineStart.DEFAULT
                    val reader =
                        launch(start = start) {
                            try {
                                registration.awaitReadable()
                            } finally {
                                outcomes.incrementAndGet()
                            }
                        }
                    val canceller = launch { reader.cancel() }
                    Fds.add(eventfd, 1)
                    canceller.join()
                    reader.join()
                    registration.awaitReadable().isReadable shouldBe true
                    Fds.drain(eventfd)
                }
                // A reader that is cancelled before its first instruction has no outcome to count.
                (outcomes.get() in 5_000..10_000) shouldBe true
            }
        }

        test("an await of a cancelled job throws without touching epoll (#329)") {
            withPoller {
                val pipe = fds.pipe()
                Fds.write(pipe.b(), 1)
                val registration = poller.register(pipe.a())
                val before = poller.stats().run { listOf(arms(), epollControls(), wakeups()) }
                val cancelled = waiting {
                    cancel()
                    shouldThrow<CancellationException> { registration.awaitReadable() }
                    shouldThrow<CancellationException> { poller.awaitWritable(pipe.b()) }
                }
                shouldThrow<CancellationException> { cancelled.await() }
                poller.stats().run { listOf(arms(), epollControls(), wakeups()) } shouldBe before
            }
        }

        test("cancelled after the event but before it runs, a coroutine gets the cancellation") {
            withPoller {
                val pipe = fds.pipe()
                val held = HeldDispatcher()
                val registration = poller.register(pipe.a())
                val reader = async(held) { registration.awaitReadable() }
                held.runNext()
                Fds.write(pipe.b(), 1)
                until("it was resumed") { held.hasNext() }
                reader.cancel()
                held.runNext()
                shouldThrow<CancellationException> { reader.await() }
                registration.awaitReadable().isReadable shouldBe true
            }
        }

        test("a cancelled reader is told of nothing, and at most one event comes in vain (#331)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                waiting { registration.awaitReadable() }.endsCancelled()
                repeat(5) { Fds.write(pipe.b(), 1) }
                stillWait()
                val stats = poller.stats()
                stats.resumes() shouldBe 0
                stats.cancels() shouldBe 1
                (stats.events() <= 1) shouldBe true
                registration.awaitReadable().isReadable shouldBe true
            }
        }

        test("withTimeout ends an await, never early, and the next one completes (#332)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                for ((name, dispatcher) in dispatchers()) {
                    withClue(name) {
                        withContext(dispatcher) {
                            val start = System.nanoTime()
                            shouldThrow<TimeoutCancellationException> {
                                withTimeout(100) { registration.awaitReadable() }
                            }
                            System.nanoTime() - start shouldBeGreaterThanOrEqual 100_000_000
                            withTimeoutOrNull(1) { registration.awaitReadable() } shouldBe null
                        }
                    }
                }
                waiters() shouldBe 0
                Fds.write(pipe.b(), 1)
                withTimeout(30_000) { registration.awaitReadable() }.isReadable shouldBe true
            }
        }

        test("a timeout of zero touches nothing") {
            withPoller {
                val registration = poller.register(fds.pipe().a())
                withTimeoutOrNull(0) { registration.awaitReadable() } shouldBe null
                poller.stats().arms() shouldBe 0
            }
        }

        test("cancelled awaits by number leave no registration behind") {
            withPoller {
                val pipes = List(50) { fds.pipe() }
                val readers = pipes.map { waiting { poller.awaitReadable(it.a()) } }
                poller.snapshot().registrations().size shouldBe 50
                readers.forEach { it.endsCancelled() }
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("cancelling one of many waiters resumes the others only") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val readers = List(10) { waiting { registration.awaitReadable() } }
                readers[4].endsCancelled()
                stillWait(*(readers - readers[4]).toTypedArray())
                Fds.write(pipe.b(), 1)
                (readers - readers[4]).forEach { it.await().isReadable shouldBe true }
            }
        }

        test("one cancelled by another that the same event resumed is not resumed as ready (#337)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                lateinit var second: Deferred<*>
                val first =
                    launch(Dispatchers.Unconfined) {
                        registration.awaitReadable()
                        second.cancel()
                    }
                second = async(Dispatchers.Unconfined) { registration.awaitReadable() }
                Fds.write(pipe.b(), 1)
                first.join()
                shouldThrow<CancellationException> { second.await() }
            }
        }

        test("a cancelled coroutine can still await in a NonCancellable finally") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                var found = false
                val reader = waiting {
                    try {
                        registration.awaitReadable()
                    } finally {
                        withContext(NonCancellable) {
                            found = registration.awaitReadable().isReadable
                        }
                    }
                }
                reader.cancel()
                stillWait(reader)
                Fds.write(pipe.b(), 1)
                reader.join()
                found shouldBe true
            }
        }
    })

private suspend fun Deferred<*>.endsCancelled() {
    cancelAndJoin()
    isCancelled shouldBe true
    shouldThrow<CancellationException> { await() }
}

/** Runs what was dispatched when it is told to. */
private class HeldDispatcher : CoroutineDispatcher() {
    private val tasks = LinkedBlockingQueue<Runnable>()

    override fun dispatch(context: CoroutineContext, block: Runnable) = tasks.put(block)

    fun hasNext() = tasks.isNotEmpty()

    fun runNext() = tasks.take().run()
}
