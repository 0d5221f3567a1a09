package dev.epoll.coroutines

import dev.epoll.fd.Signal
import dev.epoll.fd.SignalFd
import dev.epoll.fd.SignalScenarios.kill
import dev.epoll.testing.BlockingJvm
import dev.epoll.testing.stillWait
import dev.epoll.testing.withPoller
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking

class SignalsTest :
    FunSpec({
        val other = autoClose(BlockingJvm("USR1,RTMIN+1"))

        test("taking waits for a signal, and cancelled takes none") {
            other.run(SignalCoroutineScenarios::class.java, "take")
        }

        test("the flow has the signals as they come, and ends when the descriptor is closed") {
            other.run(SignalCoroutineScenarios::class.java, "signals")
        }
    })

/** What [SignalsTest] runs in a JVM that blocks USR1 and RTMIN+1. */
object SignalCoroutineScenarios {
    private val REAL_TIME = Signal.realTime(1)

    @JvmStatic
    fun take() = runBlocking {
        withPoller {
            val signals = keep(SignalFd.open(poller, Signal.USR1))
            waiting { signals.take() }.cancelAndJoin()
            val taker = waiting { signals.take() }
            stillWait(taker)
            kill(Signal.USR1)
            taker.await().signal shouldBe Signal.USR1
            val closed = waiting { runCatching { signals.take() } }
            signals.close()
            (closed.await().exceptionOrNull() is ClosedChannelException) shouldBe true
        }
    }

    @JvmStatic
    fun signals() = runBlocking {
        withPoller {
            val signals = keep(SignalFd.open(poller, Signal.USR1, REAL_TIME))
            val first = waiting { signals.signals().take(1).toList() }
            kill(Signal.USR1)
            first.await().single().pid shouldBe ProcessHandle.current().pid()
            val seen = waiting { signals.signals().map { it.signal }.take(6).toList() }
            repeat(5) { kill(REAL_TIME) }
            stillWait(seen)
            kill(Signal.USR1)
            seen.await() shouldBe List(5) { REAL_TIME } + Signal.USR1
            val rest = waiting { signals.signals().toList() }
            signals.close()
            rest.await() shouldBe emptyList()
        }
    }
}
