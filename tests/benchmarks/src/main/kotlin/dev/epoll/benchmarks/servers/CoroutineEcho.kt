package dev.epoll.benchmarks.servers

import dev.epoll.Poller
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.coroutines.awaitReadable
import dev.epoll.coroutines.awaitWritable
import dev.epoll.coroutines.connections
import dev.epoll.coroutines.openPoller
import dev.epoll.coroutines.read
import dev.epoll.coroutines.writeFully
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import dev.epoll.net.TcpStream
import java.io.IOException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.TCP_NODELAY
import java.nio.ByteBuffer
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Option

/** This library's echo servers in coroutines. */
@Command(name = "CoroutineEcho")
class CoroutineEcho : Runnable {
    enum class Api {
        stream,
        await,
    }

    enum class Place {
        poller,
        default,
    }

    @Option(names = ["--api"], defaultValue = "stream", description = ["suspending reads, or one await per message"])
    lateinit var api: Api

    @Option(names = ["--run-on"], defaultValue = "poller", description = ["where coroutines run"])
    lateinit var place: Place

    @Option(names = ["--poller"], defaultValue = "own", description = ["a thread of its own, or rounds on theirs"])
    lateinit var polling: Polling

    override fun run() {
        val elsewhere =
            when (place) {
                Place.poller -> null
                Place.default -> Dispatchers.Default
            }
        val poller = if (polling == Polling.sub) elsewhere!!.openPoller() else Poller.open()
        val dispatcher = elsewhere ?: poller.asCoroutineDispatcher()
        val options = TcpOptions.none().with(TCP_NODELAY, true)
        val listener = TcpListener.bind(poller, InetSocketAddress("127.0.0.1", 0), BACKLOG, options)
        println("listening on ${listener.localAddress().port}")
        runBlocking(dispatcher) { serve(listener) }
    }

    private suspend fun serve(listener: TcpListener) = supervisorScope {
        // On the poller thread one buffer does for all: between two awaits a connection has it to itself, and keeps
        // nothing in it while it waits.
        val shared = if (place == Place.poller) ByteBuffer.allocateDirect(16 * 1024) else null
        listener.connections().collect { stream ->
            launch(start = UNDISPATCHED) {
                val buffer = shared ?: ByteBuffer.allocateDirect(1024)
                try {
                    stream.use { if (api == Api.stream) echoByStream(it, buffer) else echoByAwait(it, buffer) }
                } catch (e: IOException) {
                    System.err.println("a connection ended early: ${e.message}")
                }
            }
        }
    }

    private suspend inline fun echoByStream(stream: TcpStream, buffer: ByteBuffer) {
        while (stream.read(buffer.clear()) >= 0) {
            stream.tryWrite(buffer.flip())
            if (buffer.hasRemaining()) stream.writeFully(takeRest(buffer))
        }
    }

    private suspend inline fun echoByAwait(stream: TcpStream, buffer: ByteBuffer) {
        while (true) {
            stream.registration().awaitReadable()
            if (stream.tryRead(buffer.clear()) < 0) return
            stream.tryWrite(buffer.flip())
            if (buffer.hasRemaining()) {
                val rest = takeRest(buffer)
                while (rest.hasRemaining()) if (stream.tryWrite(rest) == 0) stream.registration().awaitWritable()
            }
        }
    }

    /** What the peer did not take, so that others may have [buffer] while this connection waits for it. */
    private fun takeRest(buffer: ByteBuffer): ByteBuffer {
        val rest = ByteBuffer.allocate(buffer.remaining()).put(buffer).flip()
        buffer.clear()
        return rest
    }

    companion object {
        private const val BACKLOG = 4096

        @JvmStatic
        fun main(arguments: Array<String>) {
            CommandLine(CoroutineEcho()).execute(*arguments)
        }
    }
}
