package dev.epoll.soak

import dev.epoll.coroutines.asCoroutineDispatcher
import java.net.InetSocketAddress
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull

/** Of all clients together; two cores can do more. */
private const val STEPS_PER_SECOND = 3_000

/** The server says nothing while it checks what is open, and what is left. */
private val SERVER_LIMIT = LIMIT * 5

/** The clients' side of a soak, which does what the [server]'s side says. */
class SoakClients(private val connections: Int, seed: Long, private val server: Conversation) {
    private val random = Random(seed)
    private val tally = Tally()
    private val violations = Violations { server.tell(Word.VIOLATION, it) }
    private val side = SoakSide("soak-clients", violations) { server.tell(Word.SAY, "$it, $tally") }

    /** Returns after a violation; if there is none, the process ends together with the server's. */
    suspend fun run() {
        try {
            while (true) cycle()
        } catch (_: GivenUp) {
            // It has been told already.
        } catch (e: Throwable) {
            violations.add(e.stackTraceToString())
        }
    }

    private suspend fun cycle() {
        val cycle = hear(Word.CYCLE).split(' ')
        lives(cycle[0].toLong().milliseconds, cycle.drop(1).map { InetSocketAddress("127.0.0.1", it.toInt()) })
        side.checkRest()
        server.tell(Word.CLOSED)
    }

    private suspend fun lives(length: Duration, servers: List<InetSocketAddress>) = coroutineScope {
        val start = TimeSource.Monotonic.markNow()
        val idle = AtomicInteger()
        val end = CompletableDeferred<Unit>()
        val pause = 1.seconds * connections / STEPS_PER_SECOND
        val lives =
            List(connections) { i ->
                val client =
                    SoakClient(side.poller, servers, Random(random.nextLong()), tally, longestPause = pause * 2)
                launch(if (i % 2 == 0) Dispatchers.Default else side.poller.asCoroutineDispatcher()) {
                    // Those who live until then come at first one after the other, later at random.
                    delay(length / 4 * i / connections)
                    while (start.elapsedNow() < length) step("a life") { client.live { start.elapsedNow() >= length } }
                    val last = step("a last connect") { client.connected() } ?: return@launch
                    idle.incrementAndGet()
                    client.waitInVain(last) { end.await() }
                }
            }
        side.underSignals { side.until("all clients are idle", length + LIMIT) { idle.get() == connections } }
        server.tell(Word.IDLE)
        hear(Word.CHECK)
        side.checkIdle(connections)
        server.tell(Word.CHECKED)
        hear(Word.CLOSE)
        end.complete(Unit)
        withTimeoutOrNull(LIMIT) { lives.joinAll() } ?: violations.add("whoever waits is not told of a close")
    }

    private suspend fun hear(word: Word) = side.hear(server, word, SERVER_LIMIT)

    private suspend fun <T : Any> step(what: String, block: suspend () -> T): T? =
        try {
            withTimeoutOrNull(LIMIT) { block() } ?: null.also { violations.add("$what did not end within $LIMIT") }
        } catch (e: CancellationException) {
            throw e
        } catch (e: Throwable) {
            violations.add("$what: ${e.stackTraceToString()}")
            null
        }
}

/** Arguments: how many connections, and the seed. Ends, in whatever state, with its standard input. */
fun main(arguments: Array<String>) {
    val server = Conversation(System.`in`, System.out, atEnd = { Runtime.getRuntime().halt(1) })
    runBlocking(Dispatchers.Default) { SoakClients(arguments[0].toInt(), arguments[1].toLong(), server).run() }
    Runtime.getRuntime().halt(1)
}
