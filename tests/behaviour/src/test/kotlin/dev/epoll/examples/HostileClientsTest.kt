package dev.epoll.examples

import dev.epoll.testing.LONG
import dev.epoll.testing.Peer
import dev.epoll.testing.connectedProcess
import dev.epoll.testing.until
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.io.EOFException
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

private const val GET = "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"

/** More than the kernel keeps of a connection on its way, however large its buffers become. */
private const val MOST_ON_THE_WAY = 128L shl 20

/** Whatever clients do to the servers among the examples, the others are served, and nothing is left of it. */
class HostileClientsTest :
    FunSpec({
        for (server in SERVERS) {
            val process by lazy { ExampleProcess.start(server.main, "--port", "0", *server.arguments) }
            val address by lazy { InetSocketAddress("127.0.0.1", process.port()) }
            var connections = 0

            afterSpec { process.close() }

            suspend fun hostile(count: Int, clients: () -> Unit) {
                Peer(address).use { server.ask(it) } // it has opened whatever it keeps
                val before = process.sockets()
                withContext(Dispatchers.IO) {
                    clients()
                    Peer(address).use { server.ask(it) }
                }
                until("the connections are closed") { process.sockets() <= before }
                connections += count + 2
            }

            test("${server.name}: a flood of connections that send nothing") {
                hostile(500) {
                    val silent = List(500) { Peer(address) }
                    Peer(address).use { server.ask(it) }
                    connections++
                    silent.forEachIndexed { i, peer -> if (i % 2 == 0) peer.reset() else peer.close() }
                }
            }

            test("${server.name}: one who never reads") {
                hostile(1) {
                    Peer(address, bufferSize = 64 shl 10).use { stuffing ->
                        stuffing.stuff(MOST_ON_THE_WAY, server.question)
                        Peer(address).use { server.ask(it) }
                        connections++
                    }
                }
            }

            test("${server.name}: a quiet one beside one who asks without a pause") {
                hostile(2) {
                    Peer(address).use { loud ->
                        loud.beLoud(server.question) { sent ->
                            Peer(address).use { quiet ->
                                while (sent() < 1 shl 20) server.ask(quiet)
                                val before = sent()
                                repeat(100) { server.ask(quiet) }
                                while (sent() == before) server.ask(quiet)
                            }
                        }
                    }
                }
            }

            val inARow = if (LONG) 50_000 else 1_500
            test("${server.name}: $inARow connects and closes in a row") {
                hostile(inARow) {
                    val random = Random(1)
                    repeat(inARow) {
                        val peer = Peer(address)
                        when (random.nextInt(5)) {
                            0 -> peer.reset()
                            1 -> peer.send("G").also { peer.reset() }
                            2 -> peer.channel.shutdownOutput().also { peer.reset() }
                            3 -> server.ask(peer)
                        }
                        peer.close()
                    }
                }
            }

            test("${server.name}: clients whose process is killed") {
                hostile(20) {
                    // They have sent half a question, or had an answer that they did not read.
                    connectedProcess(address.port, 20, "GET /plaintext HTTP/1.1\\r\\n").destroyForcibly().waitFor()
                }
            }

            test("${server.name}: it has served all of them") {
                process.signal("TERM")
                Regex("served (\\d+) connections").find(process.rest().last())!!.groupValues[1].toInt() shouldBe
                    connections
            }
        }
    })

private class Server(
    val name: String,
    val main: String,
    vararg val arguments: String,
    val question: ByteArray,
    val ask: (Peer) -> Unit,
)

private val SERVERS =
    listOf("stream", "await").map { api ->
        Server("echo by $api", "dev.epoll.examples.EchoKt", "--api", api, question = ByteArray(1 shl 16)) { it.echo() }
    } +
        Server(
            "http",
            "dev.epoll.examples.HttpKt",
            "--idle",
            "600",
            question = GET.repeat(1_000).toByteArray(),
            ask = ::get,
        )

private fun get(peer: Peer) {
    peer.send(GET)
    val answer = ByteBuffer.allocate(1024)
    while (!String(answer.array(), 0, answer.position()).endsWith("Hello, World!")) {
        if (peer.channel.read(answer) < 0) throw EOFException("after $answer")
    }
}

private fun ExampleProcess.sockets() = fds().count { it.startsWith("socket:") }
