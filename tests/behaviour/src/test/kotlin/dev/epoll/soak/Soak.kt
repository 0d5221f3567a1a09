package dev.epoll.soak

import com.sun.management.UnixOperatingSystemMXBean
import dev.epoll.Poller
import dev.epoll.PollerConfig
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.examples.serveEach
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import dev.epoll.testing.KernelFds
import dev.epoll.testing.Signals
import java.io.IOException
import java.lang.management.ManagementFactory
import java.net.InetSocketAddress
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.system.exitProcess
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull

private const val MOST_CONNECTIONS = 15_000
private const val LISTENERS = 8 // each has the ports for its own connections, and for those in TIME_WAIT

/** What the JVM has open beside the connections, generously. */
private const val OTHER_FDS = 200

/** Of all clients together; two cores can do more. */
private const val STEPS_PER_SECOND = 3_000

/** No life and no connect takes as long as this, on however busy a machine. */
private val LIFE_LIMIT = 2.minutes

/** The same of what comes after a life. */
private val LIMIT = 3.minutes

private val IDLE = 1.seconds
private val PROGRESS = 10.seconds
private val SIGNAL_NANOS = 1.milliseconds.inWholeNanoseconds

/** What may come and go in the heap without us; far less than an object for each connection of a cycle. */
private const val HEAP_TOLERANCE = 1L shl 20

/**
 * A server and its clients in this process, on a poller each, in cycles: connections do all sorts of things at random,
 * then all are idle, then all are closed. In each of these states everything is counted. What it does is chosen by
 * [seed].
 */
class Soak(private val connections: Int, private val seed: Long, private val say: (String) -> Unit) : AutoCloseable {
    private val random = Random(seed)
    private val tally = Tally()
    private val pollers =
        listOf("soak-server", "soak-clients").map { Poller.open(PollerConfig.defaults().withThreadName(it)) }
    private val server = pollers[0]
    private val clients = pollers[1]
    private val threads = pollers.map { PollerThread(it.snapshot().name()) }

    /** Returns what went wrong. */
    fun run(duration: Duration): List<String> {
        say("seed $seed, $connections connections, $duration")
        Signals.handle()
        val fds = KernelFds.openNow()
        val start = TimeSource.Monotonic.markNow()
        val cycle = (duration / 3).coerceAtMost(1.minutes)
        var heap = Long.MAX_VALUE
        var cycles = 0
        while (tally.violations.isEmpty() && (cycles < 2 || start.elapsedNow() + cycle < duration)) {
            cycles++
            cycleInTime(cycle)
            if (tally.violations.isNotEmpty()) break // whatever is left now says nothing more
            check("every fd is closed") { KernelFds.assertNoneSince(fds) }
            val heapNow = heapInUse()
            say("cycle $cycles is over after ${start.elapsedNow().inWholeSeconds} s: $tally; heap ${heapNow shr 10} KB")
            // The first cycle leaves behind what is there for good: classes, tables that have grown.
            if (cycles == 1) heap = heapNow
            if (heapNow > heap + HEAP_TOLERANCE)
                tally.violation("the heap was $heap bytes after one cycle, is $heapNow")
        }
        tally.violations.forEach { say("VIOLATION: $it") }
        say("${if (tally.violations.isEmpty()) "nothing lost" else "FAILED"}: seed $seed, $cycles cycles, $tally")
        return tally.violations
    }

    /** A cycle; one that does not end, even when it is cancelled, is left alone. */
    private fun cycleInTime(length: Duration) = runBlocking {
        val scope = CoroutineScope(Dispatchers.Default)
        try {
            withTimeoutOrNull(length + LIMIT * 4) { scope.async { cycle(length) }.await() }
                ?: tally.violation("a cycle did not end")
        } catch (e: Violation) {
            tally.violation(e.message)
        } finally {
            scope.cancel()
        }
    }

    private suspend fun cycle(length: Duration) = coroutineScope {
        val listeners = List(LISTENERS) { TcpListener.bind(server, InetSocketAddress("127.0.0.1", 0)) }
        val servers = listeners.map { launch(server.asCoroutineDispatcher()) { it.serveEach(::serveOne) } }
        val start = TimeSource.Monotonic.markNow()
        val idle = AtomicInteger()
        val end = CompletableDeferred<Unit>()
        val addresses = listeners.map { it.localAddress() }
        val pause = 1.seconds * connections / STEPS_PER_SECOND
        val lives =
            List(connections) { i ->
                val client = SoakClient(clients, addresses, Random(random.nextLong()), tally, longestPause = pause * 2)
                launch(if (i % 2 == 0) Dispatchers.Default else clients.asCoroutineDispatcher()) {
                    // Those who live until then come at first one after the other, later at random.
                    delay(length / 4 * i / connections)
                    while (start.elapsedNow() < length) step("a life") { client.live { start.elapsedNow() >= length } }
                    val last = step("a last connect") { client.connected() }
                    idle.incrementAndGet()
                    end.await()
                    last?.close()
                }
            }
        withSignals {
            val progress = launch { tellProgress() }
            until("all clients are idle") { idle.get() == connections }
            progress.cancel()
        }
        checkIdle()
        end.complete(Unit)
        lives.joinAll()
        listeners.forEach { it.close() }
        servers.joinAll()
        checkRest()
    }

    private suspend fun serveOne(stream: TcpStream) {
        try {
            serve(stream)
        } catch (e: IOException) {
            throw e // the client broke off
        } catch (e: CancellationException) {
            throw e
        } catch (e: Throwable) {
            tally.violation("the server: $e")
        }
    }

    private suspend fun <T : Any> step(what: String, block: suspend () -> T): T? =
        try {
            withTimeoutOrNull(LIFE_LIMIT) { block() }
                ?: null.also { tally.violation("$what did not end within $LIFE_LIMIT") }
        } catch (e: CancellationException) {
            throw e
        } catch (e: Throwable) {
            tally.violation("$what: ${e.stackTraceToString()}")
            null
        }

    /** Signals interrupt both pollers, each 1000 times a second, while [block] runs. */
    private suspend fun withSignals(block: suspend () -> Unit) {
        val sender =
            thread(name = "soak-signals", isDaemon = true) {
                var next = System.nanoTime()
                while (!Thread.currentThread().isInterrupted) {
                    threads.forEach { it.signal() }
                    tally.signals.add(threads.size.toLong())
                    next += SIGNAL_NANOS
                    LockSupport.parkNanos(next - System.nanoTime())
                }
            }
        try {
            block()
        } finally {
            sender.interrupt()
            sender.join()
        }
    }

    private suspend fun tellProgress() {
        while (true) {
            delay(PROGRESS)
            say("  ${server.snapshot().registrations().size - LISTENERS} connections; $tally")
        }
    }

    /** All connections are open, and nobody does anything. */
    private suspend fun checkIdle() {
        until("$connections connections are open, and all wait") {
            waiters(server) == connections + LISTENERS &&
                server.snapshot().registrations().size == connections + LISTENERS &&
                clients.snapshot().registrations().size == connections
        }
        pollers.forEach { poller ->
            val kernel = Files.readAllLines(Path.of("/proc/self/fdinfo/${poller.snapshot().epollFd()}"))
            // The wakeup is there too.
            expect("the kernel's list of ${poller.snapshot().name()}", poller.snapshot().registrations().size + 1) {
                kernel.count { it.startsWith("tfd:") }
            }
        }
        until("the pollers sleep") { rounds().also { delay(IDLE / 4) } == rounds() }
        val rounds = rounds()
        val ticks = threads.map { it.ticks() }
        delay(IDLE)
        expect("the rounds of idle pollers", rounds) { rounds() }
        expect("the CPU ticks of idle poller threads", ticks) { threads.map { it.ticks() } }
    }

    /** Nothing is open. */
    private suspend fun checkRest() {
        until("no registration, waiter or timer is left") {
            pollers.all { it.snapshot().run { registrations().isEmpty() && timers() == 0 } }
        }
        pollers.forEach { poller ->
            val stats = poller.stats()
            expect("the outcomes of ${poller.snapshot().name()}, by its arms", stats.arms()) {
                stats.run { resumes() + cancels() + failures() }
            }
        }
    }

    private fun rounds() = pollers.map { it.stats().waits() }

    private fun waiters(poller: Poller) = poller.snapshot().registrations().sumOf { it.waiters() }

    private fun <T> expect(what: String, expected: T, actual: () -> T) {
        val found = actual()
        if (found != expected) tally.violation("$what: $found, not $expected")
    }

    /** Waits for [condition]. Gives up as soon as there is a violation, for which it may be waiting in vain. */
    private suspend fun until(what: String, condition: suspend () -> Boolean) {
        withTimeoutOrNull(LIMIT) {
            while (!condition()) {
                if (tally.violations.isNotEmpty()) throw Violation("given up: $what")
                delay(10)
            }
        } ?: throw Violation("did not happen within $LIMIT: $what; ${pollers.map { it.stats() }}")
    }

    private fun check(what: String, assertion: () -> Unit) {
        try {
            assertion()
        } catch (e: AssertionError) {
            tally.violation("$what: ${e.message}")
        }
    }

    override fun close() = pollers.forEach { it.close() }

    companion object {
        /**
         * As many connections as this process may have both ends of, and a tenth less: of some, the server has its end
         * open for a while after the client has closed it and made the next.
         */
        fun connections(wanted: Int = MOST_CONNECTIONS): Int {
            val system = ManagementFactory.getOperatingSystemMXBean() as UnixOperatingSystemMXBean
            return wanted.coerceAtMost((system.maxFileDescriptorCount.toInt() - OTHER_FDS) / 20 * 9)
        }
    }
}

private fun heapInUse(): Long {
    // The first collections let go of what only soft references and cleaners still hold.
    repeat(4) {
        System.gc()
        Thread.sleep(50)
    }
    return ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
}

/** Usage: [minutes] [connections] [seed]. */
fun main(arguments: Array<String>) {
    val minutes = arguments.getOrNull(0)?.toDouble() ?: 2.0
    val connections = Soak.connections(arguments.getOrNull(1)?.toInt() ?: MOST_CONNECTIONS)
    val seed = arguments.getOrNull(2)?.toLong() ?: Random.nextLong()
    val violations = Soak(connections, seed) { println(it) }.use { it.run(minutes.minutes) }
    exitProcess(if (violations.isEmpty()) 0 else 1)
}
