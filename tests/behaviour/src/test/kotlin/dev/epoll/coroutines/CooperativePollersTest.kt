package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.Interest
import dev.epoll.Poller
import dev.epoll.fd.EventFd
import dev.epoll.testing.CapturedLog
import dev.epoll.testing.Fds
import dev.epoll.testing.KernelFds
import dev.epoll.testing.limited
import dev.epoll.testing.until
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import java.io.IOException
import java.util.concurrent.Executors
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asContextElement
import kotlinx.coroutines.asCoroutineDispatcher as asDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** Pollers whose rounds are coroutines of some dispatcher. */
class CooperativePollersTest :
    FunSpec({
        test("awaits end on every dispatcher, also on that of another poller") {
            leavesNothing {
                val single = Executors.newSingleThreadExecutor()
                val dedicated = Poller.open()
                val cooperative = Dispatchers.Default.openPoller()
                val dispatchers =
                    listOf(
                        Dispatchers.Default,
                        Dispatchers.IO.limitedParallelism(1),
                        single.asDispatcher(),
                        dedicated.asCoroutineDispatcher(),
                        cooperative.asCoroutineDispatcher(),
                        Poller.shared().asCoroutineDispatcher(),
                    )
                for (dispatcher in dispatchers) {
                    dispatcher.openPoller().use { poller ->
                        withContext(dispatcher) { poller.pingPong(200) }
                        poller.pingPong(200)
                    }
                }
                cooperative.close()
                dedicated.close()
                single.shutdown()
            }
        }

        test("what an event resumes runs in the round, also where the rounds need no dispatch") {
            leavesNothing {
                Poller.shared().asCoroutineDispatcher().openPoller().use { poller ->
                    // With something to set up on the thread, the coroutine is resumed by way of its dispatcher.
                    val wrapped = poller.asCoroutineDispatcher() + ThreadLocal<String?>().asContextElement("any")
                    EventFd.counter(poller, 0).use { counter ->
                        val inRound = Channel<Boolean>(Channel.UNLIMITED)
                        coroutineScope {
                            launch(wrapped) {
                                repeat(100) {
                                    counter.take()
                                    inRound.trySend(poller.inPollerThread())
                                }
                            }
                            repeat(100) {
                                counter.add(1u)
                                inRound.receive() shouldBe true
                            }
                        }
                    }
                }
            }
        }

        test("the event loop of runBlocking drives one") {
            leavesNothing {
                runBlocking {
                    val here = coroutineContext[ContinuationInterceptor] as CoroutineDispatcher
                    here.openPoller().use { it.pingPong(200) }
                }
            }
        }

        test("a coroutine of the only thread may close it") {
            leavesNothing {
                val single = Executors.newSingleThreadExecutor()
                val dispatcher = single.asDispatcher()
                withContext(dispatcher) {
                    val poller = dispatcher.openPoller()
                    val registration = poller.register(fds.eventfd(0))
                    val reader =
                        async(start = CoroutineStart.UNDISPATCHED) { runCatching { registration.awaitReadable() } }
                    poller.close()
                    (reader.await().exceptionOrNull() is ClosedPollerException) shouldBe true
                    // Before it had its first turn.
                    dispatcher.openPoller().close()
                }
                single.shutdown()
            }
        }

        test("one whose dispatcher is closed fails at its next event, and its awaits with it") {
            leavesNothing {
                val single = Executors.newSingleThreadExecutor()
                val poller = single.asDispatcher().openPoller()
                CapturedLog.of(Poller::class.java).use {
                    poller.pingPong(10)
                    val registration = poller.register(fds.eventfd(0))
                    val reader =
                        async(start = CoroutineStart.UNDISPATCHED) { runCatching { registration.awaitReadable() } }
                    single.shutdown()
                    Fds.add(registration.fd(), 1)
                    reader.await()
                    until("it has failed") { poller.snapshot().state() == Poller.State.FAILED }
                    shouldThrow<IOException> { registration.awaitReadable() }
                    poller.close()
                }
            }
        }

        test("one that is opened on a closed dispatcher fails instead of waiting for ever") {
            leavesNothing {
                val single = Executors.newSingleThreadExecutor()
                single.shutdown()
                CapturedLog.of(Poller::class.java).use {
                    val poller = single.asDispatcher().openPoller()
                    until("it has failed") { poller.snapshot().state() == Poller.State.FAILED }
                    poller.close()
                    shouldThrow<IOException> { poller.register(0) }
                }
            }
        }

        test("its own dispatcher runs coroutines in its rounds, and delays on its timers") {
            leavesNothing {
                val poller = Dispatchers.Default.openPoller()
                val dispatcher = poller.asCoroutineDispatcher()
                withContext(dispatcher) {
                    poller.inPollerThread() shouldBe true
                    poller.pingPong(200)
                    poller.inPollerThread() shouldBe true
                    val start = System.nanoTime()
                    delay(20)
                    (System.nanoTime() - start >= 20_000_000) shouldBe true
                    withTimeoutOrNull(10) { delay(60_000) } shouldBe null
                    val registration = poller.register(fds.eventfd(1))
                    shouldThrow<IllegalStateException> { registration.blockUntil(Interest.READABLE) }
                    withContext(Dispatchers.Default) { poller.inPollerThread() shouldBe false }
                }
                val began = CompletableDeferred<Unit>()
                val sleeper =
                    async(SupervisorJob() + dispatcher) {
                        began.complete(Unit)
                        delay(600_000)
                    }
                began.await()
                withContext(dispatcher) { poller.close() }
                shouldThrow<CancellationException> { sleeper.await() }
                // Waits for the end of the round, which tells the sleeper before it closes the descriptors.
                poller.close()
            }
        }

        test("one within another ends with it") {
            leavesNothing {
                val outer = Dispatchers.Default.openPoller()
                val inner = outer.asCoroutineDispatcher().openPoller()
                inner.pingPong(100)
                val registration = inner.register(fds.eventfd(0))
                val reader = async(start = CoroutineStart.UNDISPATCHED) { runCatching { registration.awaitReadable() } }
                CapturedLog.of(Poller::class.java).use {
                    outer.close()
                    Fds.add(registration.fd(), 1)
                    reader.await()
                    until("it has failed") { inner.snapshot().state() == Poller.State.FAILED }
                    shouldThrow<IOException> { registration.awaitReadable() }
                    inner.close()
                }
            }
        }

        test("several threads close it while it is busy") {
            leavesNothing {
                repeat(200) {
                    val poller = Dispatchers.Default.openPoller()
                    val registration = poller.register(fds.eventfd(0))
                    val told = CompletableDeferred<Throwable?>()
                    val reader = async { told.complete(runCatching { registration.awaitReadable() }.exceptionOrNull()) }
                    List(3) { async { poller.close() } }.forEach { it.await() }
                    reader.await()
                    told.await() shouldNotBe null
                    fds.close(registration.fd())
                }
            }
        }

        test("Unconfined is refused, for it has no threads") {
            shouldThrow<IllegalArgumentException> { Dispatchers.Unconfined.openPoller() }
        }
    })

/** A token goes [times] times through two pipes, from one coroutine to another and back. */
private suspend fun Poller.pingPong(times: Int) = coroutineScope {
    Fds().use { fds ->
        val there = fds.pipe()
        val back = fds.pipe()
        val other = async {
            repeat(times) {
                awaitReadable(there.a())
                Fds.drain(there.a()) shouldBe 1
                Fds.write(back.b(), 1)
            }
        }
        repeat(times) {
            Fds.write(there.b(), 1)
            awaitReadable(back.a())
            Fds.drain(back.a()) shouldBe 1
        }
        other.await()
    }
}

private class Scope(scope: CoroutineScope, val fds: Fds) : CoroutineScope by scope

/** Runs [body], after which no descriptor is left, and the shared poller watches nothing more. */
private suspend fun leavesNothing(body: suspend Scope.() -> Unit) = limited {
    Poller.shared()
    val before = KernelFds.openNow()
    val watched = Poller.shared().snapshot().registrations().size
    Fds().use { Scope(this, it).body() }
    KernelFds.assertNoneSince(before)
    Poller.shared().snapshot().registrations().size shouldBe watched
}
