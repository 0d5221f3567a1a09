package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.*
import dev.epoll.net.TcpOptions
import dev.epoll.net.TcpStream
import java.net.StandardSocketOptions.TCP_NODELAY
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.*

/** A web server, on one thread. */
class Http : CliktCommand("http") {
    private val host by option(help = "address to listen on").default("127.0.0.1")
    private val port by option(help = "port to listen on, 0 for a free one").int().restrictTo(0..65535).default(8080)
    private val root by option(help = "folder whose files are served").path(mustExist = true, canBeFile = false)
    private val idle by
        option(help = "seconds that a client may take to send a request, or to take a part of the answer")
            .int()
            .restrictTo(min = 1)
            .default(30)

    override fun help(context: Context) = "Serves /plaintext, /json and files, until SIGINT or SIGTERM."

    override fun run() {
        val server = HttpServer(HttpSite(root?.toRealPath()), idle)
        Poller.open().use { poller ->
            // An answer with a file takes two sends: the second must not wait for the client to acknowledge the first.
            val listener = listen(poller, host, port, TcpOptions.none().with(TCP_NODELAY, true))
            atSignal { listener.close() }
            echo("listening on ${listener.hostAndPort()}")
            runBlocking(poller.asCoroutineDispatcher()) {
                val clock = launch { server.everySecond() }
                listener.serveEach(server::serve)
                clock.cancel()
            }
        }
        echo("served ${server.connections} connections, ${server.requests} requests")
    }
}

/**
 * What the connections share.
 *
 * Thread: everything on the poller thread.
 */
class HttpServer(val site: HttpSite, private val idleSeconds: Int) {
    private val open = mutableSetOf<HttpConnection>()

    /** Buffers that no connection has now; there are as many as were busy at one time. */
    val spare = ArrayDeque<HttpBuffers>()

    var connections = 0L
        private set

    var requests = 0L

    /** Seconds since the start, as the connections see it: looking at the clock once for all of them is cheap. */
    var now = 0
        private set

    /** The end of a head: the Date header and the empty line. */
    var date = httpDate()
        private set

    suspend fun everySecond() {
        while (true) {
            delay(1.seconds)
            now++
            date = httpDate()
            open.filter { now - it.activeAt > idleSeconds }.forEach { it.job.cancel() }
        }
    }

    suspend fun serve(stream: TcpStream) {
        connections++
        val connection = HttpConnection(stream, this, currentCoroutineContext().job)
        open += connection
        try {
            connection.serve()
        } finally {
            open -= connection
        }
    }
}

/** A connection; while it is idle, it has no buffers. */
class HttpConnection(val stream: TcpStream, val server: HttpServer, val job: Job) {
    /** When the client last had an answer, or took a part of it; what it sends does not count before it is complete. */
    var activeAt = server.now
        private set

    suspend fun serve() {
        do {
            awaitReadable()
            val buffers = server.spare.removeLastOrNull() ?: HttpBuffers()
            val goesOn =
                try {
                    HttpExchange(this, buffers).run()
                } finally {
                    server.spare.addLast(buffers.clear())
                }
        } while (goesOn)
    }

    /** Where there is nothing to wait for, the others have their turn: a client may send faster than it is read. */
    suspend fun awaitReadable() {
        if (stream.awaitReadable().isNone) yield()
    }

    fun isActive() {
        activeAt = server.now
    }
}

fun main(args: Array<String>) = Http().main(args)
