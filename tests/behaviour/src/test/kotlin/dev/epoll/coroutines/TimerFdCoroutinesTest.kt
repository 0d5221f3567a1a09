package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.fd.TimerFd
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.nio.channels.ClosedChannelException
import java.time.Duration
import java.time.Instant
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

private val HOUR = Duration.ofHours(1)

class TimerFdCoroutinesTest :
    FunSpec({
        test("taking waits until the timer expires, never less, on every dispatcher") {
            withPoller {
                for ((name, dispatcher) in dispatchers()) {
                    withClue(name) {
                        val timer = timer()
                        val start = System.nanoTime()
                        timer.setAfter(Duration.ofMillis(10))
                        withContext(dispatcher) { timer.take() } shouldBe 1
                        System.nanoTime() - start shouldBeGreaterThanOrEqual 10_000_000
                    }
                }
            }
        }

        test("a timer that is set by one task is awaited in another, and follows a new setting (#283)") {
            withPoller {
                val timer = timer()
                val taker = waiting { timer.take() }
                timer.setAfter(HOUR)
                stillWait(taker)
                launch { timer.setAfter(Duration.ofMillis(5)) }
                taker.await() shouldBe 1
            }
        }

        test("durations of Kotlin will do") {
            withPoller {
                val timer = timer()
                timer.setAfter(1.milliseconds)
                timer.take() shouldBe 1
                timer.setEvery(1.hours)
                timer.setting().period() shouldBe HOUR
                timer.setAfter(kotlin.time.Duration.INFINITE, 1.hours)
                timer.setting().isArmed shouldBe true
                val ofDay = timer(TimerFd.Clock.REALTIME)
                ofDay.setAt(Instant.now().minus(HOUR.multipliedBy(2)), 1.hours)
                ofDay.take() shouldBe 3
            }
        }

        test("a cancelled taker takes nothing") {
            withPoller {
                val timer = timer()
                val taker = waiting { timer.take() }
                taker.cancelAndJoin()
                shouldThrow<CancellationException> { taker.await() }
                timer.setAfter(Duration.ZERO)
                timer.take() shouldBe 1
            }
        }

        test("a slow collector misses no expiration") {
            withPoller {
                val timer = timer(TimerFd.Clock.REALTIME)
                timer.setAt(Instant.now().minus(HOUR.multipliedBy(2)), HOUR, TimerFd.OnClockSet.FOLLOW)
                timer.ticks().first() shouldBe 3
                val start = System.nanoTime()
                timer.setEvery(Duration.ofMillis(1))
                val ticks = timer.ticks().take(5).toList()
                System.nanoTime() - start shouldBeGreaterThanOrEqual ticks.sum() * 1_000_000
            }
        }

        test("a collector that is cancelled leaves later expirations to the next") {
            withPoller {
                val timer = timer()
                timer.setEvery(Duration.ofNanos(1))
                val afterSetting = System.nanoTime()
                val counted = AtomicLong()
                repeat(20) {
                    val collector = waiting {
                        timer.ticks().collect {
                            counted.addAndGet(it)
                            cancel()
                        }
                    }
                    collector.join()
                }
                val beforeLast = System.nanoTime()
                counted.addAndGet(timer.take())
                // Each nanosecond since the setting was counted once.
                counted.get() shouldBeGreaterThanOrEqual beforeLast - afterSetting
            }
        }

        test("the ticks end when the timer is closed, and fail when the poller is") {
            withPoller {
                val timer = timer()
                val ticks = waiting { timer.ticks().toList() }
                stillWait(ticks)
                timer.close()
                ticks.await() shouldBe emptyList()
                timer.ticks().toList() shouldBe emptyList()
                shouldThrow<ClosedChannelException> { timer.take() }
                val other = timer()
                val failing = waiting { runCatching { other.ticks().toList() } }
                until("it waits") { waiters() == 1 }
                poller.close()
                (failing.await().exceptionOrNull() is ClosedPollerException) shouldBe true
            }
        }
    })

private fun PollerScope.timer(clock: TimerFd.Clock = TimerFd.Clock.MONOTONIC) = keep(TimerFd.open(poller, clock))
