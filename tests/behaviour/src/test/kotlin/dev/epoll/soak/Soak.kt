package dev.epoll.soak

import com.sun.management.UnixOperatingSystemMXBean
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.examples.serveEach
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import java.io.IOException
import java.lang.management.ManagementFactory
import java.net.InetSocketAddress
import kotlin.random.Random
import kotlin.system.exitProcess
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
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

/** Longer than what the clients' process allows itself, so that it tells more if it can. */
private val CLIENTS_LIMIT = LIMIT * 3 / 2

/** Of what is left of a cycle once there is a violation. */
private val END_LIMIT = 10.seconds

/**
 * A server in this process and its clients in another, in cycles: connections do all sorts of things at random, then
 * all are idle, then all are closed. In each of these states both sides count everything. What the clients do is chosen
 * by [seed].
 */
class Soak(private val connections: Int, private val seed: Long, private val say: (String) -> Unit) : AutoCloseable {
    private val violations = Violations { say("VIOLATION: $it") }
    private val clients = ClientsProcess(connections, seed, violations) { say("  clients: $it") }
    private val side = SoakSide("soak-server", violations) { say("  server: $it") }

    /** Returns what went wrong. */
    fun run(duration: Duration): List<String> {
        say("seed $seed, $connections connections, $duration")
        val start = TimeSource.Monotonic.markNow()
        val cycle = (duration / 3).coerceAtMost(1.minutes)
        var cycles = 0
        while (violations.isEmpty() && (cycles < 2 || start.elapsedNow() + cycle < duration)) {
            cycles++
            cycleInTime(cycle)
            if (violations.isEmpty()) say("cycle $cycles is over after ${start.elapsedNow().inWholeSeconds} s")
        }
        say("${if (violations.isEmpty()) "nothing lost" else "FAILED"}: seed $seed, $cycles cycles")
        return violations.all
    }

    /** A cycle; one that does not end, even when it is cancelled, is left alone. */
    private fun cycleInTime(length: Duration) = runBlocking {
        val scope = CoroutineScope(Dispatchers.Default)
        val cycle = scope.async { cycle(length) }
        try {
            withTimeoutOrNull(length + LIMIT * 6) { while (cycle.isActive && violations.isEmpty()) delay(10) }
            withTimeoutOrNull(END_LIMIT) { cycle.await() } ?: violations.add("a cycle did not end")
        } catch (e: Violation) {
            violations.add(e.message)
        } catch (_: GivenUp) {
            // It has been told already.
        } finally {
            scope.cancel()
        }
    }

    private suspend fun cycle(length: Duration) {
        serving { ports ->
            tell(Word.CYCLE, "${length.inWholeMilliseconds} ${ports.joinToString(" ")}")
            side.underSignals { hear(Word.IDLE, length + CLIENTS_LIMIT) }
            tell(Word.CHECK)
            side.checkIdle(connections + LISTENERS)
            hear(Word.CHECKED)
            tell(Word.CLOSE)
            hear(Word.CLOSED)
            side.until("every connection has ended") { side.poller.snapshot().registrations().size == LISTENERS }
        }
        side.checkRest()
    }

    private suspend fun serving(block: suspend (ports: List<Int>) -> Unit) = coroutineScope {
        val listeners = List(LISTENERS) { TcpListener.bind(side.poller, InetSocketAddress("127.0.0.1", 0)) }
        val servers = listeners.map { launch(side.poller.asCoroutineDispatcher()) { it.serveEach(::serveOne) } }
        block(listeners.map { it.localAddress().port })
        listeners.forEach { it.close() }
        servers.joinAll()
    }

    private suspend fun serveOne(stream: TcpStream) {
        try {
            serve(stream)
        } catch (e: IOException) {
            throw e // the client broke off
        } catch (e: CancellationException) {
            throw e
        } catch (e: Throwable) {
            violations.add("the server: $e")
        }
    }

    private fun tell(word: Word, rest: String = "") = clients.conversation.tell(word, rest)

    private suspend fun hear(word: Word, limit: Duration = CLIENTS_LIMIT) = side.hear(clients.conversation, word, limit)

    override fun close() {
        clients.close()
        if (violations.isEmpty()) side.close() // which otherwise may wait for what was lost
    }

    companion object {
        /**
         * As many connections as each process may have an end of, and a tenth less: of some, the server has its end
         * open for a while after the client has closed it and made the next.
         */
        fun connections(wanted: Int = MOST_CONNECTIONS): Int {
            val system = ManagementFactory.getOperatingSystemMXBean() as UnixOperatingSystemMXBean
            return wanted.coerceAtMost((system.maxFileDescriptorCount.toInt() - OTHER_FDS) / 10 * 9)
        }
    }
}

/** Usage: [minutes] [connections] [seed]. */
fun main(arguments: Array<String>) {
    val minutes = arguments.getOrNull(0)?.toDouble() ?: 2.0
    val connections = Soak.connections(arguments.getOrNull(1)?.toInt() ?: MOST_CONNECTIONS)
    val seed = arguments.getOrNull(2)?.toLong() ?: Random.nextLong()
    val violations = Soak(connections, seed) { println(it) }.use { it.run(minutes.minutes) }
    exitProcess(if (violations.isEmpty()) 0 else 1)
}
