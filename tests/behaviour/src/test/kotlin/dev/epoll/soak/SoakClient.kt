package dev.epoll.soak

import dev.epoll.ClosedRegistrationException
import dev.epoll.Poller
import dev.epoll.coroutines.connect
import dev.epoll.coroutines.read
import dev.epoll.coroutines.writeFully
import dev.epoll.net.TcpStream
import java.io.IOException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.SO_LINGER
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

private const val MOST_STEPS = 8

/**
 * One client: connects, does at random what a client may do, and knows what must come of it. Every byte that it asks
 * for is compared.
 */
class SoakClient(
    private val poller: Poller,
    private val servers: List<InetSocketAddress>,
    private val random: Random,
    private val tally: Tally,
    private val longestPause: Duration,
) {
    /** A connection that works, for its caller to close. */
    suspend fun connected(): TcpStream {
        val stream = poller.connect(servers.random(random))
        tally.connects.increment()
        try {
            exchange(stream)
            return stream
        } catch (e: Throwable) {
            stream.close()
            throw e
        }
    }

    /** From one connect to the close, by whatever side; no longer than until [isOver]. */
    suspend fun live(isOver: () -> Boolean) {
        if (random.nextInt(10) == 0) return cancelledConnect()
        connected().use { stream ->
            repeat(random.nextInt(MOST_STEPS)) {
                delay(longestPause * random.nextDouble())
                if (isOver()) return
                step(stream)
            }
            end(stream)
        }
    }

    /** Reads what does not come, until [end] returns; then [stream] is closed, and the reader is told. */
    suspend fun waitInVain(stream: TcpStream, end: suspend () -> Unit) =
        whileReading<ClosedChannelException>(stream) {
            end()
            stream.close()
        }

    private suspend fun cancelledConnect() {
        var stream: TcpStream? = null // not the result, which is dropped if the time is over just then
        withTimeoutOrNull(random.nextLong(3).milliseconds) { stream = poller.connect(servers.random(random)) }
        stream?.close()
        tally.cancels.increment()
    }

    private suspend fun step(stream: TcpStream) {
        when (random.nextInt(10)) {
            0 -> timeout(stream)
            1,
            2 -> exchangeWithCancelledReaders(stream)
            3 -> stream.writeFully(Request.WAIT.with(1 + random.nextInt(20)))
            4 -> byteByByte(stream)
        }
        exchange(stream)
    }

    private fun message(): ByteArray {
        val size = if (random.nextInt(20) == 0) random.nextInt(200_000) else random.nextInt(2_000)
        return random.nextBytes(1 + size)
    }

    /** Both directions at once, because the server sends back what it has before it reads on. */
    private suspend fun exchange(stream: TcpStream) = coroutineScope {
        val message = message()
        launch { send(stream, message) }
        val answer = ByteBuffer.allocate(message.size)
        while (answer.hasRemaining()) readSome(stream, answer)
        compare(message, answer)
    }

    private suspend fun exchangeWithCancelledReaders(stream: TcpStream) = coroutineScope {
        val message = message()
        val answer = ByteBuffer.allocate(message.size)
        val writer = launch { send(stream, message) }
        repeat(1 + random.nextInt(3)) {
            val reader = launch(start = UNDISPATCHED) { while (answer.hasRemaining()) readSome(stream, answer) }
            if (random.nextBoolean()) delay(random.nextLong(3).milliseconds)
            reader.cancelAndJoin()
            tally.cancels.increment()
        }
        while (answer.hasRemaining()) readSome(stream, answer)
        writer.join()
        compare(message, answer)
    }

    private suspend fun byteByByte(stream: TcpStream) {
        val message = random.nextBytes(20)
        stream.writeFully(Request.ECHO.with(message.size))
        val answer = ByteBuffer.allocate(message.size)
        for (byte in message) {
            stream.writeFully(ByteBuffer.wrap(byteArrayOf(byte)))
            readSome(stream, answer)
        }
        compare(message, answer)
    }

    private suspend fun send(stream: TcpStream, message: ByteArray) {
        stream.writeFully(Request.ECHO.with(message.size))
        stream.writeFully(ByteBuffer.wrap(message))
    }

    private suspend fun readSome(stream: TcpStream, answer: ByteBuffer) {
        if (stream.read(answer) < 0) throw Violation("the stream ended in front of $answer")
    }

    private fun compare(message: ByteArray, answer: ByteBuffer) {
        if (answer.hasRemaining() || !answer.array().contentEquals(message)) throw Violation("other bytes came back")
        tally.exchanges.increment()
        tally.bytes.add(message.size.toLong())
    }

    private suspend fun timeout(stream: TcpStream) {
        val read = withTimeoutOrNull(random.nextLong(1, 20).milliseconds) { stream.read(ByteBuffer.allocate(1)) }
        if (read != null) throw Violation("$read came from a server that was asked for nothing")
        tally.timeouts.increment()
    }

    private suspend fun end(stream: TcpStream) {
        tally.ends.increment()
        when (random.nextInt(7)) {
            0 -> {
                stream.writeFully(Request.CLOSE.with(0))
                expectEnd(stream)
            }
            1 -> {
                stream.writeFully(Request.RESET.with(0))
                expect<IOException> { stream.read(ByteBuffer.allocate(1)) }
            }
            2 -> {
                stream.shutdownOutput()
                expectEnd(stream)
            }
            3 -> stream.setOption(SO_LINGER, 0)
            4 -> whileReading<ClosedChannelException>(stream) { stream.close() }
            5 -> whileReading<ClosedRegistrationException>(stream) { stream.registration().close() }
        }
    }

    private suspend fun expectEnd(stream: TcpStream) {
        val read = stream.read(ByteBuffer.allocate(1))
        if (read != -1) throw Violation("$read came instead of the end")
    }

    private suspend inline fun <reified E : IOException> whileReading(
        stream: TcpStream,
        crossinline end: suspend () -> Unit,
    ) = coroutineScope {
        val reader =
            async(start = if (random.nextBoolean()) UNDISPATCHED else CoroutineStart.DEFAULT) {
                expect<E> { stream.read(ByteBuffer.allocate(1)) }
            }
        end()
        reader.await()
    }

    private inline fun <reified E : IOException> expect(read: () -> Int) {
        val count =
            try {
                read()
            } catch (e: IOException) {
                if (e !is E) throw Violation("${E::class} is due, not $e")
                return
            }
        throw Violation("$count came instead of ${E::class}")
    }
}
