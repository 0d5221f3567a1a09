package dev.epoll.examples

import dev.epoll.testing.limited
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

private val ROOT =
    generateSequence(Path.of("").toAbsolutePath()) { it.parent }.first { Files.exists(it.resolve(".mvn")) }
private val SOURCE = ROOT.resolve("tests/behaviour/src/test/kotlin/dev/epoll/examples/ReadmeExample.kt")

class ReadmeTest :
    FunSpec({
        test("the README's example is code that compiles") {
            val examples = fenced(ROOT.resolve("README.md").readLines())
            examples shouldHaveSize 1
            examples.single() shouldContainExactly tested(SOURCE.readLines())
            examples.single().size shouldBeInRange 8..16
        }

        test("the README's example echoes") {
            limited {
                val address = InetSocketAddress("127.0.0.1", ServerSocket(0).use { it.localPort })
                val server = launch { serve(address) }
                repeat(3) { round ->
                    connect(address).use { client ->
                        val bytes = ByteArray(20_000) { (it * 7 + round).toByte() }
                        client.getOutputStream().write(bytes)
                        client.getInputStream().readNBytes(bytes.size) shouldBe bytes
                        client.shutdownOutput()
                        client.getInputStream().read() shouldBe -1
                    }
                }
                server.cancelAndJoin()
            }
        }
    })

/** The lines of each Kotlin example, without indentation and empty lines. */
private fun fenced(lines: List<String>): List<List<String>> {
    val examples = mutableListOf<MutableList<String>>()
    var inside = false
    for (line in lines.map { it.trim() }) {
        when {
            line == "```kotlin" -> inside = examples.add(mutableListOf())
            line == "```" -> inside = false
            inside && line.isNotEmpty() -> examples.last() += line
        }
    }
    return examples
}

private fun tested(lines: List<String>): List<String> =
    lines
        .map { it.trim() }
        .dropWhile { it != "// README" }
        .drop(1)
        .takeWhile { it != "// END README" }
        .filter(String::isNotEmpty)

private suspend fun connect(address: InetSocketAddress): Socket {
    while (true) {
        try {
            return Socket(address.address, address.port)
        } catch (e: IOException) {
            delay(5) // not listening yet
        }
    }
}
