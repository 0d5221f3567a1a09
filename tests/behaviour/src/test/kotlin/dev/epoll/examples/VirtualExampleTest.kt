package dev.epoll.examples

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.net.InetAddress
import java.net.Socket
import java.util.concurrent.TimeUnit
import kotlin.random.Random

private const val MAIN = "dev.epoll.examples.VirtualKt"
private const val CLIENTS = 5

class VirtualExampleTest :
    FunSpec({
        val hasVirtualThreads = Runtime.version().feature() >= 21

        test("echoes to nc on virtual threads, and says at SIGTERM what it served").config(
            enabled = hasVirtualThreads
        ) {
            ExampleProcess.start(MAIN, "--port", "0").use { server ->
                val port = server.port()
                val sent = Random(1).nextBytes(300_000)
                val clients = List(CLIENTS) { ProcessBuilder("nc", "-N", "127.0.0.1", "$port").start() }
                clients.forEach { client ->
                    Thread { client.outputStream.use { it.write(sent) } }.start()
                }
                clients.forEach { client ->
                    client.inputStream.readAllBytes().contentEquals(sent) shouldBe true
                    client.waitFor(30, TimeUnit.SECONDS) shouldBe true
                }
                // One that still waits does not keep the server from ending.
                Socket(InetAddress.getLoopbackAddress(), port).use { idle ->
                    idle.getOutputStream().write(1)
                    idle.getInputStream().read() shouldBe 1
                    server.signal("TERM")
                    server.rest() shouldBe listOf("served ${CLIENTS + 1} connections, ${CLIENTS * sent.size + 1} bytes")
                    idle.getInputStream().read() shouldBe -1
                }
                server.errors() shouldBe emptyList()
            }
        }

        test("without virtual threads it says what it needs").config(enabled = !hasVirtualThreads) {
            ExampleProcess.start(MAIN, "--port", "0").use { server ->
                server.end() shouldBe 1
                server.errors() shouldHaveSize 1
                server.errors().single() shouldContain "JDK 21"
            }
        }
    })
