package dev.epoll.coroutines

import dev.epoll.EventMask
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import dev.epoll.net.TcpStream
import dev.epoll.testing.KernelFds
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContainIgnoringCase
import java.io.IOException
import java.net.ConnectException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.SO_LINGER
import java.net.StandardSocketOptions.SO_RCVBUF
import java.net.StandardSocketOptions.SO_SNDBUF
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.nio.channels.UnresolvedAddressException
import java.security.MessageDigest
import kotlin.random.Random
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

private const val DUPLEX_BYTES = 16 shl 20

class TcpCoroutinesTest :
    FunSpec({
        test("a connection is made, and both ends know each other's address (#374)") {
            withPoller {
                val listener = listener()
                val client = keep(poller.connect(listener.localAddress()))
                val server = keep(listener.accept())
                client.registration().awaitWritable().mask() shouldBe EventMask.OUT
                client.remoteAddress() shouldBe listener.localAddress()
                server.localAddress() shouldBe listener.localAddress()
                server.remoteAddress() shouldBe client.localAddress()
                client.writeFully(ByteBuffer.wrap(byteArrayOf(1, 2)))
                server.read(ByteBuffer.allocate(10)) shouldBe 2
            }
        }

        test("accept waits for a connection, and a burst of 256 is accepted whole (#319)") {
            withPoller {
                val listener = listener()
                val first = waiting { listener.accept() }
                stillWait(first)
                val server = async {
                    repeat(256) { round ->
                        val stream = if (round == 0) first.await() else listener.accept()
                        stream.use { it.read(ByteBuffer.allocate(1)) shouldBe -1 }
                    }
                }
                repeat(256) { poller.connect(listener.localAddress()).close() }
                server.await()
            }
        }

        test("reads and writes that are both blocked are served one after the other, 16 MB each way (#307)") {
            withPoller {
                val (a, b) = connection()
                val toB = waiting { a.send(seed = 1) }
                val toA = waiting { b.send(seed = 2) }
                until("both directions are full") { waiters() == 2 }
                val atA = waiting { a.digest() }
                toA.await()
                atA.await() shouldBe digestOf(seed = 2)
                stillWait(toB)
                b.digest() shouldBe digestOf(seed = 1)
                toB.await()
            }
        }

        test("both ends read and write 16 MB at once, on every dispatcher") {
            withPoller {
                for ((name, dispatcher) in dispatchers()) {
                    withClue(name) {
                        val (a, b) = connection()
                        withContext(dispatcher) {
                            launch { a.send(seed = 1) }
                            launch { b.send(seed = 2) }
                            val atA = async { a.digest() }
                            val atB = async { b.digest() }
                            atA.await() shouldBe digestOf(seed = 2)
                            atB.await() shouldBe digestOf(seed = 1)
                        }
                    }
                }
            }
        }

        test("a relay passes on what it gets, byte for byte, and the end of the stream (#383)") {
            withPoller {
                val (client, front) = connection()
                val (back, server) = connection()
                val relay = launch {
                    launch { pump(front, back) }
                    launch { pump(back, front) }
                }
                val upstream = async { client.send(seed = 3) }
                val downstream = async { server.send(seed = 4) }
                val atServer = async { server.digest() }
                client.digest() shouldBe digestOf(seed = 4)
                atServer.await() shouldBe digestOf(seed = 3)
                awaitAll(upstream, downstream)
                relay.join()
            }
        }

        test("100 connections at a time get their own bytes back, while numbers are reused (#226)") {
            withPoller {
                val listener = listener()
                val server = launch {
                    while (true) {
                        val stream = listener.accept()
                        launch { stream.use { pump(it, it) } }
                    }
                }
                repeat(5) { round ->
                    coroutineScope {
                        repeat(100) { i ->
                            launch {
                                val payload = Random(round * 100 + i).nextBytes(1000)
                                poller.connect(listener.localAddress()).use { it.echoed(payload) } shouldBe payload
                            }
                        }
                    }
                }
                server.cancelAndJoin()
            }
        }

        test("a reset ends the reader and the writer of a connection (#293)") {
            withPoller {
                val (a, b) = connection()
                val writer = waiting { runCatching { a.send(seed = 1) } }
                val reader = waiting { runCatching { a.read(ByteBuffer.allocate(1)) } }
                b.setOption(SO_LINGER, 0)
                b.close()
                (writer.await().exceptionOrNull() is IOException) shouldBe true
                // The reset is one error, which the writer may have taken; then the stream has ended.
                reader.await().run { getOrNull() == -1 || exceptionOrNull() is IOException } shouldBe true
            }
        }

        test("half a connection ends: the reader reads to the end, and the answer arrives") {
            withPoller {
                val (client, server) = connection()
                client.writeFully(ByteBuffer.wrap(byteArrayOf(1, 2, 3)))
                client.shutdownOutput()
                val buffer = ByteBuffer.allocate(10)
                server.readToEnd(buffer)
                server.writeFully(buffer.flip())
                server.close()
                val answer = ByteBuffer.allocate(10)
                client.readToEnd(answer)
                answer.position() shouldBe 3
            }
        }

        test("a refused connection throws ConnectException and leaves nothing open") {
            withPoller {
                val nobody = TcpListener.bind(poller, LOOPBACK).use { it.localAddress() }
                val before = KernelFds.openNow()
                shouldThrow<ConnectException> { poller.connect(nobody) }
                KernelFds.assertNoneSince(before)
                shouldThrow<UnresolvedAddressException> {
                    poller.connect(InetSocketAddress.createUnresolved("localhost", 1))
                }
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("a cancelled connect leaves nothing open (#335)") {
            withPoller {
                val listener = keep(TcpListener.bind(poller, LOOPBACK, 0, TcpOptions.none()))
                val connects = List(4) { waiting { poller.connect(listener.localAddress()) } }
                until("some wait, for the backlog is full") { waiters() > 0 }
                connects.forEach { it.cancelAndJoin() }
                connects.filter { !it.isCancelled }.forEach { it.await().close() }
                connects.any { it.isCancelled } shouldBe true
                until("only the listener is left") { poller.snapshot().registrations().size == 1 }
            }
        }

        test("closing the listener ends who accepts, also when it has just begun (#349)") {
            withPoller {
                repeat(200) { round ->
                    val listener = TcpListener.bind(poller, LOOPBACK)
                    val acceptor = if (round % 2 == 0) waiting { outcome(listener) } else async { outcome(listener) }
                    listener.close()
                    val closed = acceptor.await()
                    (closed is ClosedChannelException) shouldBe true
                    closed?.message.orEmpty() shouldNotContainIgnoringCase "descriptor"
                }
            }
        }

        test("closing a stream ends its reader and its writer (#338)") {
            withPoller {
                val (a, b) = connection()
                val writer = waiting { runCatching { a.send(seed = 1) } }
                val reader = waiting { runCatching { a.read(ByteBuffer.allocate(1)) } }
                until("both wait") { waiters() == 2 }
                a.close()
                (writer.await().exceptionOrNull() is ClosedChannelException) shouldBe true
                (reader.await().exceptionOrNull() is ClosedChannelException) shouldBe true
                b.close()
            }
        }

        test("a cancelled accept loses no connection") {
            withPoller {
                val listener = listener()
                repeat(300) {
                    // Not the result of async, which drops it if the cancellation comes after accept has returned.
                    var accepted: TcpStream? = null
                    val acceptor = launch { accepted = listener.accept() }
                    val client = poller.connect(listener.localAddress())
                    acceptor.cancelAndJoin()
                    val server = accepted ?: listener.accept()
                    server.remoteAddress() shouldBe client.localAddress()
                    server.close()
                    client.close()
                }
            }
        }
    })

private val LOOPBACK = InetSocketAddress("127.0.0.1", 0)

/** Small, so that a transfer waits often. */
private val SMALL_BUFFERS = TcpOptions.none().with(SO_SNDBUF, 64 shl 10).with(SO_RCVBUF, 64 shl 10)

private fun PollerScope.listener(): TcpListener = keep(TcpListener.bind(poller, LOOPBACK))

private suspend fun PollerScope.connection(): Pair<TcpStream, TcpStream> =
    TcpListener.bind(poller, LOOPBACK, 1, SMALL_BUFFERS).use { listener ->
        keep(poller.connect(listener.localAddress(), SMALL_BUFFERS)) to keep(listener.accept())
    }

private suspend fun outcome(listener: TcpListener): Throwable? = runCatching { listener.accept() }.exceptionOrNull()

private fun chunks(seed: Int): Sequence<ByteArray> {
    val random = Random(seed)
    return generateSequence { random.nextBytes(256 shl 10) }.take(DUPLEX_BYTES / (256 shl 10))
}

private suspend fun TcpStream.send(seed: Int) {
    for (chunk in chunks(seed)) writeFully(ByteBuffer.wrap(chunk))
    shutdownOutput()
}

private fun digestOf(seed: Int): List<Byte> =
    MessageDigest.getInstance("SHA-1").also { chunks(seed).forEach(it::update) }.digest().toList()

private suspend fun TcpStream.digest(): List<Byte> {
    val digest = MessageDigest.getInstance("SHA-1")
    val buffer = ByteBuffer.allocateDirect(64 shl 10)
    while (read(buffer) >= 0) {
        digest.update(buffer.flip())
        buffer.clear()
    }
    return digest.digest().toList()
}

private suspend fun pump(from: TcpStream, to: TcpStream) {
    val buffer = ByteBuffer.allocateDirect(16 shl 10)
    while (from.read(buffer) >= 0) {
        to.writeFully(buffer.flip())
        buffer.clear()
    }
    to.shutdownOutput()
}

private suspend fun TcpStream.echoed(payload: ByteArray): ByteArray {
    writeFully(ByteBuffer.wrap(payload))
    shutdownOutput()
    val answer = ByteBuffer.allocate(payload.size + 1)
    readToEnd(answer)
    return answer.array().copyOf(answer.position())
}

private suspend fun TcpStream.readToEnd(buffer: ByteBuffer) {
    var count = 0
    while (count >= 0) count = read(buffer)
}
