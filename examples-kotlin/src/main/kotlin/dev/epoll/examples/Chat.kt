package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.*
import dev.epoll.fd.ByteSource
import dev.epoll.net.StreamSocket
import java.net.ProtocolException
import java.nio.ByteBuffer
import kotlin.io.path.deleteIfExists
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.*
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.*

private const val MAX_LINE = 1024
private const val LOBBY = "lobby"
private val NAME = Regex("[A-Za-z0-9_-]{1,20}")

/** So many lines wait for a client that does not read; the next one drops it. */
private const val QUEUE = 1024

/** How long a client that leaves or is dropped has to read what it was told before. */
private val GRACE = 5.seconds

/**
 * Rooms in which everybody reads what the others write, over TCP and a Unix socket.
 *
 * Thread: all coroutines run on the poller thread, so nothing is shared between threads.
 */
class Chat : CliktCommand("chat") {
    private val host by option(help = "address to listen on").default("127.0.0.1")
    private val port by option(help = "port to listen on, 0 for a free one").int().restrictTo(0..65535).default(7008)
    private val unix by option(help = "path of a Unix socket to listen on too").path()

    private val members = mutableSetOf<Client>()
    private var served = 0L
    private var lines = 0L

    override fun help(context: Context) = "A chat for nc and socat, until SIGINT or SIGTERM."

    override fun run() {
        Poller.open().use { poller ->
            val tcp = listen(poller, host, port)
            val local = unix?.let { listen(poller, it) }
            try {
                atSignal { listOfNotNull(tcp, local).forEach { it.close() } }
                echo("listening on ${listOfNotNull(tcp.hostAndPort(), unix).joinToString(" and ")}")
                runBlocking(poller.asCoroutineDispatcher()) {
                    launch { tcp.serveEach(::serve) }
                    local?.let { launch { it.serveEach(::serve) } }
                }
            } finally {
                unix?.deleteIfExists()
            }
        }
        echo("served $served clients, $lines lines")
    }

    private inner class Client(val stream: StreamSocket<*>, scope: CoroutineScope) {
        var name = ""
        var room = LOBBY
        val queue = Channel<ByteArray>(QUEUE)
        val writer = scope.launch { for (line in queue) stream.writeFully(ByteBuffer.wrap(line)) }
        val reader = scope.launch(start = CoroutineStart.LAZY) { converse(this@Client) }

        fun tell(line: String) = tell("$line\n".toByteArray())

        /** Never waits. */
        fun tell(line: ByteArray) {
            val result = queue.trySend(line)
            if (result.isSuccess || result.isClosed) return
            queue.close()
            leave(this, "was dropped, as it did not read")
            reader.cancel()
        }
    }

    private suspend fun serve(stream: StreamSocket<*>) = coroutineScope {
        served++
        val client = Client(stream, this)
        try {
            client.tell("* Who are you?")
            client.reader.join()
        } finally {
            leave(client, "left")
        }
        val wasDropped = !client.queue.close()
        withTimeoutOrNull(GRACE) {
            client.writer.join()
            if (wasDropped)
                stream.writeFully(ByteBuffer.wrap("* You were dropped, as you did not read.\n".toByteArray()))
        }
        client.writer.cancel()
    }

    private suspend fun converse(client: Client) {
        try {
            lines(client.stream)
                .takeWhile { it != "/quit" }
                .collect {
                    obey(client, it)
                    yield() // a turn for the writers: many lines that come together must not fill the queues
                }
        } catch (e: ProtocolException) {
            client.tell("* ${e.message}")
        }
    }

    private fun obey(client: Client, line: String) {
        val room = if (line.startsWith("/join ")) line.substring(6) else ""
        when {
            line.isEmpty() -> {}
            client.name.isEmpty() -> introduce(client, line)
            line == "/who" ->
                client.tell("* ${client.room}: ${inRoom(client.room).map { it.name }.sorted().joinToString(" ")}")
            NAME.matches(room) -> {
                leave(client, "went to $room")
                enter(client, room)
            }
            line.startsWith("/") ->
                client.tell("* /join ROOM, /who, /quit; a room is letters, digits, - and _, up to 20")
            else -> {
                lines++
                tellAll(client.room, "${client.name}: $line")
            }
        }
    }

    private fun introduce(client: Client, name: String) {
        when {
            !NAME.matches(name) -> client.tell("* A name is letters, digits, - and _, up to 20. Who are you?")
            members.any { it.name == name } -> client.tell("* $name is here already. Who are you?")
            else -> {
                client.name = name
                enter(client, LOBBY)
            }
        }
    }

    private fun enter(client: Client, room: String) {
        client.room = room
        members += client
        tellAll(room, "* ${client.name} came to $room")
    }

    private fun leave(client: Client, how: String) {
        if (members.remove(client)) tellAll(client.room, "* ${client.name} $how")
    }

    private fun tellAll(room: String, line: String) {
        val bytes = "$line\n".toByteArray()
        inRoom(room).forEach { it.tell(bytes) }
    }

    private fun inRoom(room: String) = members.filter { it.room == room }
}

/** Lines as they come; control characters are left out, as they would get at the others' terminals. */
private fun lines(source: ByteSource): Flow<String> = flow {
    val buffer = ByteBuffer.allocate(MAX_LINE)
    while (source.read(buffer) >= 0) {
        buffer.flip()
        for (i in 0 until buffer.limit()) {
            if (buffer.get(i) == '\n'.code.toByte()) {
                val line = ByteArray(i - buffer.position()).also { buffer.get(it) }
                buffer.get()
                emit(line.decodeToString().filterNot(Char::isISOControl).trim())
            }
        }
        buffer.compact()
        if (!buffer.hasRemaining()) throw ProtocolException("A line has less than $MAX_LINE bytes. Bye.")
    }
}

fun main(args: Array<String>) = Chat().main(args)
