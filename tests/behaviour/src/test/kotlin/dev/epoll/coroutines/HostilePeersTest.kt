package dev.epoll.coroutines

import dev.epoll.examples.serveEach
import dev.epoll.net.ListenerSocket
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import dev.epoll.net.TcpStream
import dev.epoll.testing.LONG
import dev.epoll.testing.Peer
import dev.epoll.testing.PollerScope
import dev.epoll.testing.connectedProcess
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.SO_RCVBUF
import java.net.StandardSocketOptions.SO_SNDBUF
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield

private const val SMALL = 64 shl 10

/** Whatever one client does, the others are served, and nothing is left of it. The server is in this process. */
class HostilePeersTest :
    FunSpec({
        beforeSpec { Peer.warmUp() }

        test("one who sends a byte now and then is sent away when its time is over, not before") {
            val time = 300.milliseconds
            withPoller {
                serving({ withTimeoutOrNull(time) { echoLine(it) } }) { limited ->
                    serving({ echoLine(it) }) { address ->
                        val start = System.nanoTime()
                        val slow = List(30) { Peer(limited) }
                        var left = slow
                        while (left.isNotEmpty()) {
                            left = left.filter { peer -> runCatching { peer.send("x") }.isSuccess }
                            Peer(address).use {
                                it.send("line\n")
                                it.receive(5).decodeToString() shouldBe "line\n"
                            }
                            delay(5)
                        }
                        System.nanoTime() - start shouldBeGreaterThanOrEqual time.inWholeNanoseconds
                        slow.forEach { it.close() }
                    }
                }
            }
        }

        test("many who send nothing keep nobody waiting, and go when their time is over") {
            withPoller {
                serving({ withTimeoutOrNull(500.milliseconds) { echo(it) } }) { limited ->
                    serving(::echo) { address ->
                        val silent = List(500) { Peer(limited) }
                        Peer(address).use { it.echo() }
                        silent.forEach { it.isSentAway() shouldBe true }
                        silent.forEach { it.close() }
                    }
                }
            }
        }

        test("of one who never reads no more is taken than the kernel keeps, and it is all there when it reads") {
            withPoller {
                serving(::echo) { address ->
                    Peer(address, SMALL).use { stuffing ->
                        val taken = stuffing.stuff(most = 4L shl 20)
                        until("the server waits for room") { waiters() == 2 }
                        Peer(address).use { it.echo() }
                        stuffing.receive(taken.toInt()).all { it == 0.toByte() } shouldBe true
                        stuffing.echo()
                    }
                }
            }
        }

        test("bytes that come one at a time are served one at a time") {
            withPoller {
                serving(::echo) { address ->
                    Peer(address).use { dripping ->
                        Peer(address).use { other ->
                            repeat(3_000) {
                                dripping.echo(byteArrayOf(it.toByte()))
                                if (it % 100 == 0) other.echo()
                            }
                        }
                    }
                }
            }
        }

        test("beside one who sends without a pause a quiet one has its answers") {
            val exchanges = 300
            val atLeast = if (LONG) 1L shl 30 else 64L shl 20
            withPoller {
                serving(::echo) { address ->
                    Peer(address).use { loud ->
                        loud.beLoud(ByteArray(1 shl 18)) { sent ->
                            // This ends only if the quiet one is served while the loud one goes on.
                            Peer(address).use { quiet ->
                                while (sent() < 1 shl 20) quiet.echo()
                                val before = sent()
                                repeat(exchanges) { quiet.echo() }
                                while (sent() == before || sent() < atLeast) quiet.echo()
                            }
                        }
                    }
                }
            }
        }

        test("connects and closes in a row, in all ways, leave nothing behind") {
            val count = if (LONG) 50_000 else 2_000
            val served = AtomicInteger()
            withPoller {
                serving({ served.incrementAndGet().also { _ -> echo(it) } }) { address ->
                    val random = Random(1)
                    repeat(count) {
                        val peer = Peer(address)
                        when (random.nextInt(5)) {
                            0 -> peer.reset()
                            1 -> peer.send("x").also { peer.reset() }
                            2 -> peer.channel.shutdownOutput().also { peer.isSentAway() shouldBe true }
                            3 -> peer.echo()
                        }
                        peer.close()
                    }
                    until("all were accepted, or reset before: ${served.get()}") { served.get() == count }
                    served.set(0)
                }
            }
        }

        test("clients whose process is killed are gone, whether the server reads or writes") {
            withPoller {
                serving(::echo) { address ->
                    val process = connectedProcess(address.port, 20, "x")
                    Peer(address).use { stays ->
                        until("all wait") { waiters() == 22 }
                        process.destroyForcibly().waitFor()
                        until("they are gone") { waiters() == 2 }
                        stays.echo()
                    }
                }
            }
        }

        for (state in STATES) {
            test("a reset while the server ${state.name} is an IOException there, and the others are served") {
                withPoller {
                    val first = CompletableDeferred<Unit>()
                    val failure = CompletableDeferred<Throwable?>()
                    val reset = CompletableDeferred<Unit>()
                    val serve: suspend (TcpStream) -> Unit = { stream ->
                        if (first.complete(Unit)) {
                            failure.complete(runCatching { state.serve(stream, reset) }.exceptionOrNull())
                        } else {
                            echo(stream)
                        }
                    }
                    serving(serve) { address ->
                        val peer = Peer(address, SMALL)
                        first.await()
                        if (state.clientEnds) peer.channel.shutdownOutput()
                        Peer(address).use { other ->
                            other.echo()
                            until("the server ${state.name}") { waiters() == 2 + state.waiters }
                            peer.reset()
                            reset.complete(Unit)
                            val e = failure.await()
                            withClue(e) { (e is IOException) shouldBe true }
                            other.echo()
                        }
                    }
                }
            }
        }

        test("a reset before accept is an IOException after it, and the others are served") {
            withPoller {
                val listener = listener()
                repeat(20) { Peer(listener.localAddress()).reset() }
                Peer(listener.localAddress()).use { other ->
                    repeat(20) {
                        val e =
                            listener.accept().use { runCatching { it.read(ByteBuffer.allocate(1)) } }.exceptionOrNull()
                        withClue(e) { (e is IOException) shouldBe true }
                    }
                    val serving = waiting { listener.accept().use { echo(it) } }
                    other.echo()
                    other.channel.shutdownOutput()
                    serving.await()
                }
            }
        }
    })

/**
 * What a server may be doing with a connection.
 *
 * @param waiters how many awaits that are
 * @param clientEnds whether the client has sent its end
 */
private class State(
    val name: String,
    val waiters: Int,
    val clientEnds: Boolean = false,
    val serve: suspend (stream: TcpStream, reset: CompletableDeferred<Unit>) -> Unit,
)

private val STATES =
    listOf(
        State("reads", 1) { stream, _ -> stream.read(ByteBuffer.allocate(1)) },
        State("writes", 1) { stream, _ -> stream.writeFully(ByteBuffer.allocate(MUCH)) },
        State("reads and writes", 2) { stream, _ ->
            coroutineScope {
                launch { stream.writeFully(ByteBuffer.allocate(MUCH)) }
                stream.read(ByteBuffer.allocate(1))
            }
        },
        State("waits for readiness", 1) { stream, _ ->
            stream.registration().awaitReadable()
            stream.tryRead(ByteBuffer.allocate(1))
        },
        State("writes after the client's end", 1, clientEnds = true) { stream, _ ->
            stream.read(ByteBuffer.allocate(1)) shouldBe -1
            stream.writeFully(ByteBuffer.allocate(MUCH))
        },
        State("waits for the client's end after its own", 1) { stream, _ ->
            stream.shutdownOutput()
            stream.read(ByteBuffer.allocate(1))
        },
        State("does something else before it reads", 0) { stream, reset ->
            reset.await()
            stream.read(ByteBuffer.allocate(1))
        },
        State("does something else before it writes", 0) { stream, reset ->
            reset.await()
            stream.writeFully(ByteBuffer.allocate(MUCH))
        },
    )

/** More than the kernel takes from one who writes, with [SMALL] buffers. */
private const val MUCH = 8 shl 20

private fun PollerScope.listener(): TcpListener =
    keep(
        TcpListener.bind(
            poller,
            InetSocketAddress("127.0.0.1", 0),
            ListenerSocket.DEFAULT_BACKLOG,
            TcpOptions.none().with(SO_RCVBUF, SMALL).with(SO_SNDBUF, SMALL),
        )
    )

/** A server on the poller thread, while [clients] run, which may block. After that it has no connection left. */
private suspend fun PollerScope.serving(
    serve: suspend (TcpStream) -> Unit,
    clients: suspend (InetSocketAddress) -> Unit,
) {
    val listener = listener()
    val listeners = poller.snapshot().registrations().size
    val server = launch(poller.asCoroutineDispatcher()) { listener.serveEach(serve) }
    withContext(Dispatchers.IO) { clients(listener.localAddress()) }
    until("only listeners are left: ${poller.snapshot()}") { poller.snapshot().registrations().size == listeners }
    listener.close()
    server.join()
}

private suspend fun echo(stream: TcpStream) {
    val buffer = ByteBuffer.allocate(16 * 1024)
    while (stream.read(buffer.clear()) >= 0) {
        stream.writeFully(buffer.flip())
        if (!stream.isDrained) yield()
    }
}

/** Sends back what comes, once its line is complete. */
private suspend fun echoLine(stream: TcpStream) {
    val line = ByteBuffer.allocate(10_000)
    while (line.position() == 0 || line[line.position() - 1] != '\n'.code.toByte()) {
        if (stream.read(line) < 0) return
    }
    stream.writeFully(line.flip())
}
