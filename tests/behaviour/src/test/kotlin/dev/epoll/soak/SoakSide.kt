package dev.epoll.soak

import dev.epoll.Poller
import dev.epoll.PollerConfig
import dev.epoll.testing.KernelFds
import dev.epoll.testing.Signals
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.atomic.LongAdder
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** No life, connect or check takes as long as this, on however busy a machine. */
val LIMIT = 2.minutes

private val IDLE = 1.seconds
private val PROGRESS = 10.seconds
private val SIGNAL_NANOS = 1.milliseconds.inWholeNanoseconds

/** What may come and go in the heap without us; far less than an object for each connection of a cycle. */
private const val HEAP_TOLERANCE = 1L shl 20

/** One of the two processes of a soak: its poller, which gets signals, and what must be true of it in each state. */
class SoakSide(name: String, private val violations: Violations, private val say: (String) -> Unit) : AutoCloseable {
    val poller: Poller = Poller.open(PollerConfig.defaults().withThreadName(name))
    private val pollerThread = PollerThread(name)
    private val signals = LongAdder()
    private val fds = KernelFds.openNow()
    private var heapAtFirst: Long? = null

    init {
        Signals.handle()
    }

    /** Signals interrupt the poller, 1000 times a second, while [block] runs. */
    suspend fun <T> underSignals(block: suspend () -> T): T = coroutineScope {
        val progress = launch {
            while (true) {
                delay(PROGRESS)
                say(progress())
            }
        }
        val sender =
            thread(name = "soak-signals", isDaemon = true) {
                var next = System.nanoTime()
                while (!Thread.currentThread().isInterrupted) {
                    pollerThread.signal()
                    signals.increment()
                    next += SIGNAL_NANOS
                    LockSupport.parkNanos(next - System.nanoTime())
                }
            }
        try {
            block()
        } finally {
            sender.interrupt()
            sender.join()
            progress.cancel()
        }
    }

    private fun progress() = "${poller.snapshot().registrations().size} registrations, $signals signals"

    /** This many registrations are there, somebody waits on each, and nobody does anything. */
    suspend fun checkIdle(count: Int) {
        until("$count are open, and all wait") {
            val open = poller.snapshot().registrations()
            open.size == count && open.sumOf { it.waiters() } == count
        }
        val kernel = Files.readAllLines(Path.of("/proc/self/fdinfo/${poller.snapshot().epollFd()}"))
        // The wakeup is there too.
        expect("the kernel's list", count + 1) { kernel.count { it.startsWith("tfd:") } }
        until("the poller sleeps") { rounds().also { delay(IDLE / 4) } == rounds() }
        val rounds = rounds()
        val ticks = pollerThread.ticks()
        delay(IDLE)
        expect("the rounds of the idle poller", rounds) { rounds() }
        expect("the CPU ticks of the idle poller thread", ticks) { pollerThread.ticks() }
    }

    /** Nothing is open, and what was needed for it is free again. */
    suspend fun checkRest() {
        until("no registration, waiter or timer is left") {
            poller.snapshot().run { registrations().isEmpty() && timers() == 0 }
        }
        val stats = poller.stats()
        expect("the outcomes, by the arms", stats.arms()) { stats.run { resumes() + cancels() + failures() } }
        try {
            KernelFds.assertNoneSince(fds)
        } catch (e: AssertionError) {
            violations.add(e.message!!)
        }
        if (!violations.isEmpty()) return // then the heap says nothing more
        val heap = heapInUse()
        // The first cycle leaves behind what is there for good: classes, tables that have grown.
        val first = heapAtFirst ?: heap.also { heapAtFirst = it }
        if (heap > first + HEAP_TOLERANCE) violations.add("the heap was $first bytes after one cycle, is $heap")
        say("${progress()}, heap ${heap shr 10} KB")
    }

    private fun rounds() = poller.stats().waits()

    private fun <T> expect(what: String, expected: T, actual: () -> T) {
        val found = actual()
        if (found != expected) violations.add("$what: $found, not $expected")
    }

    /** Waits until [other] says [word]. Returns what belongs to it. */
    suspend fun hear(other: Conversation, word: Word, limit: Duration): String {
        var heard: String? = null
        until("the other process says $word", limit) { other.heard(word).also { heard = it } != null }
        return heard!!
    }

    /** Waits for [condition]. Gives up as soon as there is a violation, for which it may be waiting in vain. */
    suspend fun until(what: String, limit: Duration = LIMIT, condition: suspend () -> Boolean) {
        withTimeoutOrNull(limit) {
            while (!condition()) {
                if (!violations.isEmpty()) throw GivenUp(what)
                delay(10)
            }
        }
            ?: run {
                violations.add("did not happen within $limit: $what; ${poller.stats()}")
                throw GivenUp(what)
            }
    }

    override fun close() = poller.close()
}

private fun heapInUse(): Long {
    // The first collections let go of what only soft references and cleaners still hold.
    repeat(4) {
        System.gc()
        Thread.sleep(50)
    }
    return ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
}
