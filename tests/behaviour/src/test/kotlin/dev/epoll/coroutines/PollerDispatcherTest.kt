package dev.epoll.coroutines

import dev.epoll.testing.Fds
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.asContextElement
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield

class PollerDispatcherTest :
    FunSpec({
        test("coroutines run on the poller thread, and are resumed there") {
            withPoller {
                val pipe = fds.pipe()
                val reader =
                    async(poller.asCoroutineDispatcher()) {
                        val before = poller.inPollerThread()
                        poller.awaitReadable(pipe.a())
                        val afterAwait = poller.inPollerThread()
                        withContext(Dispatchers.Default) { poller.inPollerThread() shouldBe false }
                        delay(1)
                        listOf(before, afterAwait, poller.inPollerThread())
                    }
                Fds.write(pipe.b(), 1)
                reader.await() shouldBe listOf(true, true, true)
                poller.inPollerThread() shouldBe false
            }
        }

        test("what withContext sets up on the thread is gone after it, also if an event ended it") {
            withPoller {
                val request = ThreadLocal<String?>()
                val pipe = fds.pipe()
                val seen =
                    async(poller.asCoroutineDispatcher()) {
                        val within =
                            withContext(request.asContextElement("1")) {
                                poller.awaitReadable(pipe.a())
                                request.get()
                            }
                        listOf(within, request.get())
                    }
                Fds.write(pipe.b(), 1)
                seen.await() shouldBe listOf("1", null)
            }
        }

        test("what is launched from outside runs in the order of the launching") {
            withPoller {
                val dispatcher = poller.asCoroutineDispatcher()
                val order = mutableListOf<Int>()
                List(5_000) { launch(dispatcher) { order += it } }.joinAll()
                order shouldContainExactly (0 until 5_000).toList()
            }
        }

        test("what is launched from inside goes on there without being queued") {
            withPoller {
                val order = mutableListOf<String>()
                withContext(poller.asCoroutineDispatcher()) {
                    val tasks = poller.stats().tasks()
                    launch { order += "inner" }
                    order += "outer"
                    poller.stats().tasks() shouldBe tasks
                }
                order shouldContainExactly listOf("inner", "outer")
            }
        }

        test("a deep chain of launches does not grow the stack") {
            withPoller {
                val reached = CompletableDeferred<Unit>()
                fun next(depth: Int) {
                    launch(poller.asCoroutineDispatcher()) {
                        if (depth == 0) reached.complete(Unit) else next(depth - 1)
                    }
                }
                next(50_000)
                reached.await()
            }
        }

        test("coroutines that yield take turns with each other, and with the events") {
            withPoller {
                val pipe = fds.pipe()
                val order = mutableListOf<Int>()
                withContext(poller.asCoroutineDispatcher()) {
                    repeat(2) { id ->
                        launch {
                            repeat(3) {
                                order += id
                                yield()
                            }
                        }
                    }
                }
                order shouldContainExactly listOf(0, 1, 0, 1, 0, 1)

                withContext(poller.asCoroutineDispatcher()) {
                    val reader = launch { poller.awaitReadable(pipe.a()) }
                    Fds.write(pipe.b(), 1)
                    while (reader.isActive) yield()
                }
            }
        }

        test("a delay is never early, and those that are shorter end first") {
            withPoller {
                val order = CopyOnWriteArrayList<Int>()
                withContext(poller.asCoroutineDispatcher()) {
                    for (millis in listOf(30, 1, 20, 10, 2)) {
                        launch {
                            val start = System.nanoTime()
                            delay(millis.toLong())
                            System.nanoTime() - start shouldBeGreaterThanOrEqual millis * 1_000_000L
                            order += millis
                        }
                    }
                }
                order shouldContainExactly listOf(1, 2, 10, 20, 30)
            }
        }

        test("20,000 coroutines delay at once, and none is early") {
            withPoller {
                val ended = AtomicInteger()
                withContext(poller.asCoroutineDispatcher()) {
                    repeat(20_000) {
                        launch {
                            val start = System.nanoTime()
                            delay(1L + it % 20)
                            if (System.nanoTime() - start >= (1 + it % 20) * 1_000_000L) ended.incrementAndGet()
                        }
                    }
                }
                ended.get() shouldBe 20_000
                poller.snapshot().timers() shouldBe 0
            }
        }

        test("a timeout ends an endless delay, and a delay that is cancelled leaves no timer") {
            withPoller {
                withContext(poller.asCoroutineDispatcher()) {
                    val start = System.nanoTime()
                    shouldThrow<TimeoutCancellationException> { withTimeout(20) { delay(Duration.INFINITE) } }
                    System.nanoTime() - start shouldBeGreaterThanOrEqual 20_000_000
                    withTimeoutOrNull(1) { delay(Long.MAX_VALUE - 1) } shouldBe null
                    withTimeoutOrNull(60_000) { "in time" } shouldBe "in time"
                }
                val sleeper = launch(poller.asCoroutineDispatcher()) { delay(600_000) }
                until("it sleeps") { poller.snapshot().timers() == 1 }
                sleeper.cancelAndJoin()
                poller.snapshot().timers() shouldBe 0
            }
        }

        test("a coroutine that throws ends alone") {
            withPoller {
                val thrown = CopyOnWriteArrayList<Throwable>()
                val handler = CoroutineExceptionHandler { _, e -> thrown += e }
                val dispatcher = poller.asCoroutineDispatcher()
                launch(SupervisorJob() + dispatcher + handler) { error("at the start") }.join()
                launch(SupervisorJob() + dispatcher + handler) {
                        delay(1)
                        error("after a delay")
                    }
                    .join()
                thrown.map { it.message } shouldContainExactly listOf("at the start", "after a delay")
                shouldThrow<IllegalArgumentException> { withContext(dispatcher) { require(false) } }
                withContext(dispatcher) { poller.inPollerThread() } shouldBe true
            }
        }

        test("two coroutines of one poller thread pass messages to each other and to others") {
            withPoller {
                val channel = Channel<Int>()
                val dispatcher = poller.asCoroutineDispatcher()
                val sum =
                    async(dispatcher) {
                        var sum = 0
                        for (i in channel) sum += i
                        sum
                    }
                coroutineScope {
                    launch(dispatcher) { repeat(1_000) { channel.send(1) } }
                    launch(Dispatchers.Default) { repeat(1_000) { channel.send(1) } }
                }
                channel.close()
                sum.await() shouldBe 2_000
            }
        }

        @OptIn(ExperimentalCoroutinesApi::class)
        test("a view of limited parallelism keeps to the poller thread and its timers") {
            withPoller {
                val view = poller.asCoroutineDispatcher().limitedParallelism(1)
                withContext(view) {
                    delay(1)
                    withTimeoutOrNull(1) { delay(60_000) } shouldBe null
                    poller.inPollerThread() shouldBe true
                }
                poller.snapshot().timers() shouldBe 0
            }
        }

        test("runBlocking, Default and the poller hand over to each other many times") {
            withPoller {
                val dispatcher = poller.asCoroutineDispatcher()
                var counter = 0
                repeat(2_000) { withContext(dispatcher) { counter++ } }
                counter shouldBe 2_000
            }
        }
    })
