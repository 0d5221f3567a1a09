package dev.epoll.examples

import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CompletableFuture
import kotlin.concurrent.thread
import kotlin.random.Random

private const val CLIENTS = 5
private const val BYTES = 300_000

class EchoExampleTest :
    FunSpec({
        val places = buildList {
            add("poller")
            add("default")
            if (Runtime.version().feature() >= 21) add("virtual")
        }
        for ((i, place) in places.withIndex()) {
            for ((j, api) in listOf("stream", "await").withIndex()) {
                val signal = if ((i + j) % 2 == 0) "TERM" else "INT"
                test("echoes by $api on $place, and says at SIG$signal what it served") {
                    echo("--port", "0", "--api", api, "--run-on", place).use { echo ->
                        val port = echo.port()
                        parallel { seed -> roundTrip(port, seed) }
                        // One that still waits does not keep the server from ending.
                        Socket(InetAddress.getLoopbackAddress(), port).use { idle ->
                            idle.getOutputStream().write(1)
                            idle.getInputStream().read() shouldBe 1
                            echo.signal(signal)
                            echo.rest() shouldBe
                                listOf("served ${CLIENTS + 1} connections, ${CLIENTS * BYTES + 1} bytes")
                            idle.getInputStream().read() shouldBe -1
                        }
                        echo.errors() shouldBe emptyList()
                    }
                }
            }
        }

        test("a connection that is reset does not end the server") {
            echo("--port", "0").use { echo ->
                val port = echo.port()
                Socket(InetAddress.getLoopbackAddress(), port).use {
                    it.setSoLinger(true, 0)
                    it.getOutputStream().write(ByteArray(100_000))
                }
                roundTrip(port, seed = 1)
                echo.signal("TERM")
                echo.rest().single() shouldContain "served 2 connections"
            }
        }

        test("a port in use is one line on stderr and exit code 1") {
            ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")).use { taken ->
                echo("--port", "${taken.localPort}").use { echo ->
                    echo.end() shouldBe 1
                    echo.rest() shouldBe emptyList()
                    echo.errors() shouldHaveSize 1
                    echo.errors().single() shouldContain "${taken.localPort}"
                }
            }
        }

        test("help tells the options") {
            val help = shouldThrow<PrintHelpMessage> { Echo().parse(listOf("--help")) }
            help.statusCode shouldBe 0
            val text = Echo().getFormattedHelp(help).orEmpty()
            for (option in listOf("--host", "--port", "--api", "--run-on", "--backend")) text shouldContain option
        }

        for (arguments in
            listOf(
                listOf("--port", "x"),
                listOf("--port", "65536"),
                listOf("--port", "-1"),
                listOf("--api", "magic"),
                listOf("--run-on", "moon"),
                listOf("--backend", "c"),
                listOf("--nonsense"),
            )) {
            test("bad options are a usage error: ${arguments.joinToString(" ")}") {
                shouldThrow<UsageError> { Echo().parse(arguments) }.statusCode shouldBe 1
            }
        }

        for (host in listOf("no-such-host.invalid", "192.0.2.1")) {
            test("a host that cannot be listened on is said in one line: $host") {
                val failure = shouldThrow<CliktError> { Echo().parse(listOf("--host", host, "--port", "0")) }
                withClue(failure) {
                    failure.statusCode shouldBe 1
                    failure.message.orEmpty() shouldContain host
                }
            }
        }
    })

private fun echo(vararg arguments: String) = ExampleProcess.start("dev.epoll.examples.EchoKt", *arguments)

private fun roundTrip(port: Int, seed: Int) {
    val bytes = Random(seed).nextBytes(BYTES)
    Socket(InetAddress.getLoopbackAddress(), port).use { socket ->
        val writer = thread {
            socket.getOutputStream().write(bytes)
            socket.shutdownOutput()
        }
        check(socket.getInputStream().readAllBytes().contentEquals(bytes)) { "the bytes came back changed" }
        writer.join()
    }
}

private fun parallel(client: (Int) -> Unit) {
    val clients = List(CLIENTS) { CompletableFuture.runAsync { client(it) } }
    clients.forEach { it.get() }
}
