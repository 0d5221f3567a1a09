package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.*
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import java.io.IOException
import java.nio.ByteBuffer
import java.util.concurrent.atomic.LongAdder
import kotlinx.coroutines.*

/** A server that sends back what it is sent. */
class Echo : CliktCommand("echo") {
    private val host by option(help = "address to listen on").default("127.0.0.1")
    private val port by option(help = "port to listen on, 0 for a free one").int().restrictTo(0..65535).default(7007)
    private val api by option(help = "suspending reads, or awaits by hand").choice("stream", "await").default("stream")
    private val runOn by
        option(help = "where coroutines run, and the poller beside them")
            .choice("poller", "default", "virtual")
            .default("poller")
    private val backend by option(help = "how libc is called").choice("jnr", "ffm")

    private val served = LongAdder()
    private val bytes = LongAdder()

    override fun help(context: Context) = "Sends back what it is sent, until SIGINT or SIGTERM."

    override fun run() {
        backend?.let { System.setProperty("dev.epoll.backend", it) }
        val elsewhere = elsewhere()
        (elsewhere?.openPoller() ?: Poller.open()).use { poller ->
            val listener = listen(poller, host, port)
            atSignal { listener.close() }
            echo("listening on ${listener.hostAndPort()}")
            runBlocking(elsewhere ?: poller.asCoroutineDispatcher()) { serve(listener) }
        }
        echo("served ${served.sum()} connections, ${bytes.sum()} bytes")
    }

    /** Where coroutines run, if not on the poller's own thread; the poller then needs none. */
    private fun elsewhere(): CoroutineDispatcher? =
        when (runOn) {
            "default" -> Dispatchers.Default
            "virtual" -> virtualThreads()
            else -> null
        }

    /** Ends when the listener is closed; then the connections that are left are cancelled. */
    private suspend fun serve(listener: TcpListener) = supervisorScope {
        listener.connections().collect { stream ->
            launch(start = CoroutineStart.UNDISPATCHED) {
                served.increment()
                try {
                    stream.use { if (api == "stream") echoByStream(it) else echoByAwait(it) }
                } catch (e: IOException) {
                    echo("a connection ended early: ${e.message}", err = true)
                }
            }
        }
        coroutineContext.cancelChildren()
    }

    private suspend fun echoByStream(stream: TcpStream) {
        val buffer = ByteBuffer.allocate(16 * 1024)
        while (stream.read(buffer) >= 0) {
            bytes.add(buffer.flip().remaining().toLong())
            stream.writeFully(buffer)
            buffer.clear()
            // A peer that is faster than we are would keep the thread from the others.
            if (!stream.isDrained) yield()
        }
    }

    private suspend fun echoByAwait(stream: TcpStream) {
        val buffer = ByteBuffer.allocate(16 * 1024)
        while (true) {
            if (stream.awaitReadable().isNone) yield()
            if (stream.tryRead(buffer) < 0) return
            bytes.add(buffer.flip().remaining().toLong())
            while (buffer.hasRemaining()) {
                if (stream.tryWrite(buffer) == 0) stream.awaitWritable()
            }
            buffer.clear()
        }
    }
}

fun main(args: Array<String>) = Echo().main(args)
