package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.testing.PollerScope
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield

class ClosedPollerDispatcherTest :
    FunSpec({
        test("closing the poller cancels who delays on it, and finally blocks run (#343)") {
            withPoller {
                val finallyRan = AtomicInteger()
                val sleepers =
                    List(1_000) { i ->
                        onPoller {
                            try {
                                if (i % 2 == 0) delay(600_000) else withTimeout(600_000) { delay(500_000) }
                            } finally {
                                finallyRan.incrementAndGet()
                            }
                        }
                    }
                until("all sleep") { poller.snapshot().timers() == 1_500 }
                poller.close()
                sleepers.joinAll()
                finallyRan.get() shouldBe 1_000
                sleepers.all { it.isCancelled } shouldBe true
            }
        }

        test("who delays is cancelled as a whole, not only woken") {
            withPoller {
                val activeAfterwards = CompletableDeferred<Boolean>()
                val sleeper = onPoller {
                    try {
                        delay(600_000)
                    } catch (e: CancellationException) {
                        activeAfterwards.complete(currentCoroutineContext().isActive)
                        throw e
                    }
                }
                until("it sleeps") { poller.snapshot().timers() == 1 }
                poller.close()
                sleeper.join()
                activeAfterwards.await() shouldBe false
            }
        }

        test("one that swallows cancellations as long as it is active ends too") {
            withPoller {
                val began = CompletableDeferred<Unit>()
                val sleeper = onPoller {
                    began.complete(Unit)
                    while (isActive) runCatching { delay(1) }
                }
                began.await()
                closesWhileRunning(sleeper)
            }
        }

        test("one that yields for ever is cancelled, and close returns") {
            withPoller {
                val began = CompletableDeferred<Unit>()
                val busy = onPoller {
                    began.complete(Unit)
                    while (true) yield()
                }
                began.await()
                closesWhileRunning(busy)
                busy.isCancelled shouldBe true
            }
        }

        test("one that waits for something else ends when that comes") {
            withPoller {
                val signal = CompletableDeferred<Unit>()
                val finallyRan = CompletableDeferred<Boolean>()
                val began = CompletableDeferred<Unit>()
                val waiter = onPoller {
                    try {
                        began.complete(Unit)
                        signal.await()
                    } finally {
                        finallyRan.complete(poller.inPollerThread())
                    }
                }
                began.await()
                poller.close()
                signal.complete(Unit)
                waiter.join()
                waiter.isCancelled shouldBe true
                finallyRan.await() shouldBe false
            }
        }

        test("one that awaits an fd is told, and may clean up with suspending calls") {
            withPoller {
                val pipe = fds.pipe()
                val steps = CopyOnWriteArrayList<String>()
                val reader = onPoller {
                    try {
                        poller.awaitReadable(pipe.a())
                    } catch (e: ClosedPollerException) {
                        steps += "told"
                        withContext(NonCancellable + Dispatchers.Default) { poller.close() }
                        steps += "not reached: going back to a closed poller cancels"
                    } finally {
                        steps += "finally"
                    }
                }
                until("it waits") { waiters() == 1 }
                poller.close()
                reader.join()
                steps shouldBe listOf("told", "finally")
            }
        }

        test("nothing starts on a closed poller, and everything that tries ends") {
            withPoller {
                poller.close()
                val dispatcher = poller.asCoroutineDispatcher()
                var ran = false
                val launched = launch(SupervisorJob() + dispatcher) { ran = true }
                launched.join()
                launched.isCancelled shouldBe true
                val outcome = scope().async { withContext(dispatcher) { ran = true } }
                shouldThrow<CancellationException> { outcome.await() }
                val failure = shouldThrow<CancellationException> { scope().async(dispatcher) { 1 }.await() }
                generateSequence<Throwable>(failure) { it.cause }.any { it is ClosedPollerException } shouldBe true
                ran shouldBe false
            }
        }

        test("a coroutine of the poller may close it, and goes on") {
            withPoller {
                val closer = onPoller {
                    poller.close()
                    "closed"
                }
                closer.await() shouldBe "closed"
                poller.close()
                val later = onPoller { "never" }
                later.join()
                later.isCancelled shouldBe true
            }
        }

        test("closing races with launching: everybody ends") {
            withPoller {
                val jobs =
                    List(4) {
                            async {
                                List(1_000) { i ->
                                    if (i == 500) poller.close()
                                    onPoller { if (i % 3 == 0) delay(1) else yield() }
                                }
                            }
                        }
                        .flatMap { it.await() }
                jobs.joinAll()
            }
        }
    })

/** Not a child of the test, whose scope its failure would cancel. */
private fun scope() = CoroutineScope(SupervisorJob() + Dispatchers.Default)

private fun <T> PollerScope.onPoller(block: suspend CoroutineScope.() -> T): Deferred<T> =
    scope().async(poller.asCoroutineDispatcher(), block = block)

private suspend fun PollerScope.closesWhileRunning(coroutine: Job) {
    val closer = thread(isDaemon = true) { poller.close() }
    try {
        until("close returns") { !closer.isAlive }
        coroutine.join()
    } finally {
        coroutine.cancel() // or else a failed test would never end
    }
}
