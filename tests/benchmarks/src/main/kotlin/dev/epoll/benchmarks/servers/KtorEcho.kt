package dev.epoll.benchmarks.servers

import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.InetSocketAddress
import io.ktor.network.sockets.Socket
import io.ktor.network.sockets.aSocket
import io.ktor.network.sockets.openReadChannel
import io.ktor.network.sockets.openWriteChannel
import io.ktor.network.sockets.port
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.writeFully
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Ktor's sockets, the way that its documentation shows. */
object KtorEcho {
    @JvmStatic
    fun main(arguments: Array<String>) =
        runBlocking(Dispatchers.Default) {
            val listener =
                aSocket(SelectorManager(Dispatchers.IO)).tcp().bind(InetSocketAddress("127.0.0.1", 0)) {
                    backlogSize = 4096
                }
            println("listening on ${listener.localAddress.port()}")
            while (true) {
                val connection = listener.accept()
                launch { answer(connection) }
            }
        }

    private suspend fun answer(connection: Socket) {
        val buffer = ByteArray(1024)
        try {
            connection.use {
                val input = it.openReadChannel()
                val output = it.openWriteChannel()
                while (true) {
                    val count = input.readAvailable(buffer)
                    if (count < 0) return
                    output.writeFully(buffer, 0, count)
                    output.flush()
                }
            }
        } catch (e: IOException) {
            System.err.println("a connection ended early: ${e.message}")
        }
    }
}
