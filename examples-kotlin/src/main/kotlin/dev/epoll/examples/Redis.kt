package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.*
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import dev.epoll.net.TcpStream
import java.net.StandardSocketOptions.TCP_NODELAY
import java.nio.ByteBuffer
import kotlinx.coroutines.*

private const val SWEEP_MILLIS = 100L
private const val SWEEP_BATCH = 1000
private const val MAX_WAITING = 256 * 1024

/** A small Redis: keys and values in memory, for redis-cli and the clients of Redis. */
class Redis : CliktCommand("redis") {
    private val host by option(help = "address to listen on").default("127.0.0.1")
    private val port by option(help = "port to listen on, 0 for a free one").int().restrictTo(0..65535).default(6379)

    // Thread: all of these belong to the poller thread, on which every coroutine here runs. So there are no locks.
    private val store = RedisStore()
    private val counts = RedisCounts()
    private val commands = RedisCommands(store, counts)

    override fun help(context: Context) = "Keeps keys and values as Redis does, until SIGINT or SIGTERM."

    override fun run() {
        Poller.open().use { poller ->
            val listener = listen(poller, host, port, TcpOptions.none().with(TCP_NODELAY, true))
            atSignal { listener.close() }
            echo("listening on ${listener.hostAndPort()}")
            runBlocking(poller.asCoroutineDispatcher()) { serve(listener) }
        }
        echo("served ${counts.connections} connections, ${counts.commands} commands")
    }

    private suspend fun serve(listener: TcpListener) = coroutineScope {
        val sweeper = launch { removeExpired() }
        listener.serveEach { stream ->
            counts.connections++
            counts.clients++
            try {
                converse(stream, RedisClient())
            } finally {
                counts.clients--
            }
        }
        sweeper.cancel()
    }

    /** What one read brings is answered with one write; and nothing more is read until that has been taken. */
    private suspend fun converse(stream: TcpStream, client: RedisClient) {
        val parser = RespParser()
        val replies = RespWriter()
        var input = ByteBuffer.allocate(RESP_BUFFER)
        while (!client.isLeaving && stream.read(input) >= 0) {
            input.flip()
            try {
                while (!client.isLeaving) {
                    commands.run(parser.next(input) ?: break, client, replies)
                    if (replies.size > MAX_WAITING) replies.writeTo(stream)
                }
            } catch (e: RespException) {
                replies.error("ERR ${e.message}")
                client.isLeaving = true
            }
            replies.writeTo(stream)
            input = input.withRoom()
            // A peer that is faster than we are would keep the thread from the others.
            if (!stream.isDrained) yield()
        }
    }

    private suspend fun removeExpired() {
        while (true) {
            delay(SWEEP_MILLIS)
            while (store.removeExpired(SWEEP_BATCH) == SWEEP_BATCH) yield()
        }
    }
}

fun main(args: Array<String>) = Redis().main(args)
