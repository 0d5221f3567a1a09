package dev.epoll.examples

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.File
import java.nio.file.Files
import kotlin.io.path.deleteIfExists
import kotlin.io.path.writeText

private const val MAIN = "dev.epoll.examples.StdinKt"
private const val O_NONBLOCK = 0x800

class StdinExampleTest :
    FunSpec({
        test("prints the lines of a pipe as they come, until its end") {
            ExampleProcess.start(MAIN, "--timeout", "600").use { stdin ->
                stdin.write("one\ntw")
                stdin.out.readLine() shouldBe "line 1: one"
                stdin.write("o\n\nwithout an end, Grüße")
                stdin.out.readLine() shouldBe "line 2: two"
                stdin.input.close()
                stdin.rest() shouldBe listOf("line 3: ", "line 4: without an end, Grüße", "end of input, 4 lines")
                stdin.end() shouldBe 0
                stdin.errors() shouldBe emptyList()
            }
        }

        test("stops waiting when the time is over, though the pipe stays open") {
            ExampleProcess.start(MAIN, "--timeout", "0.3").use { stdin ->
                val start = System.nanoTime()
                stdin.write("one\n")
                stdin.end() shouldBe 0
                System.nanoTime() - start shouldBeGreaterThanOrEqual 300_000_000
                stdin.rest() shouldBe listOf("line 1: one", "stopped waiting after 0.3 s, 1 lines")
            }
        }

        test("reads a regular file") {
            val file = Files.createTempFile("lines", ".txt").also { it.writeText("a\nb\n") }
            try {
                fromFile(file.toFile()) shouldBe listOf("line 1: a", "line 2: b", "end of input, 2 lines")
            } finally {
                file.deleteIfExists()
            }
        }

        test("reads /dev/null") { fromFile(File("/dev/null")) shouldBe listOf("end of input, 0 lines") }

        test("reads a terminal, and leaves its O_NONBLOCK as it was") {
            val command = ExampleProcess.command(MAIN, "--timeout", "600").joinToString(" ")
            val script = "stty -echo; $command; grep flags /proc/self/fdinfo/0"
            ExampleProcess(ProcessBuilder("script", "-qec", script, "/dev/null")).use { terminal ->
                terminal.write("hello\n")
                val lines = terminal.out.lineSequence().map { it.trim() }
                val seen = mutableListOf<String>()
                for (line in lines) {
                    seen += line
                    if (line == "line 1: hello") terminal.write("\u0004")
                }
                seen shouldContain "end of input, 1 lines"
                val flags = seen.single { it.startsWith("flags:") }.substringAfter(':').trim().toInt(8)
                flags and O_NONBLOCK shouldBe 0
            }
        }

        test("help tells the option") {
            val help = shouldThrow<com.github.ajalt.clikt.core.PrintHelpMessage> { Stdin().parse(listOf("--help")) }
            Stdin().getFormattedHelp(help).orEmpty() shouldContain "--timeout"
        }

        for (value in listOf("-1", "soon", "NaN")) {
            test("a bad timeout is a usage error: $value") {
                shouldThrow<UsageError> { Stdin().parse(listOf("--timeout=$value")) }.statusCode shouldBe 1
            }
        }
    })

fun ExampleProcess.write(text: String) {
    input.write(text.toByteArray())
    input.flush()
}

private fun fromFile(file: File): List<String> =
    ExampleProcess(ProcessBuilder(ExampleProcess.command(MAIN)).redirectInput(file)).use { stdin ->
        stdin.rest().also { stdin.end() shouldBe 0 }
    }
