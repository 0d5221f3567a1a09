package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import dev.epoll.testing.Eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Files
import kotlin.io.path.deleteIfExists
import kotlin.io.path.readText

class RunExampleTest :
    FunSpec({
        test("streams both outputs as they come, and ends with the command's exit code") {
            run("--timeout", "600", "--", "sh", "-c", "echo out; echo err >&2; read x; echo got \$x; exit 7").use {
                it.out.readLine() shouldBe "out"
                it.input.write("this\n".toByteArray())
                it.input.flush()
                it.rest() shouldBe listOf("got this")
                it.end() shouldBe 7
                it.errors() shouldBe listOf("err")
            }
        }

        test("writes to a file") {
            val file = Files.createTempFile("output", ".txt")
            val command = ExampleProcess.command(MAIN, "seq", "20000")
            try {
                ExampleProcess(ProcessBuilder(command).redirectOutput(file.toFile())).use { it.end() shouldBe 0 }
                file.readText() shouldBe (1..20_000).joinToString("") { "$it\n" }
            } finally {
                file.deleteIfExists()
            }
        }

        test("at the timeout stops the command and its children, and says so") {
            val start = System.nanoTime()
            run("--timeout", "1.5", "--", "sh", "-c", "sleep 600 & echo $! $$; wait").use {
                val pids = it.out.readLine().split(" ").map(String::toLong)
                it.end() shouldBe 124
                System.nanoTime() - start shouldBeGreaterThanOrEqual 1_500_000_000
                it.errors() shouldBe listOf("run: timed out after 1.5s, stopping sh and 1 descendants")
                pids.forEach(::ends)
            }
        }

        test("a command that is stopped has the time to say something") {
            val script = "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
            run("--grace=60", "sh", "-c", script).use {
                it.out.readLine() shouldBe "ready"
                it.signal("TERM")
                it.rest() shouldBe listOf("bye")
                it.end() shouldBe 143
            }
        }

        test("a command that does not listen is killed") {
            run("--grace=0.2", "sh", "-c", "trap '' TERM; echo $$; exec sleep 600").use {
                val pid = it.out.readLine().toLong()
                it.signal("TERM")
                it.end() shouldBe 143
                ends(pid)
            }
        }

        for ((signal, code) in listOf("TERM" to 143, "INT" to 130)) {
            test("SIG$signal stops the command, and says so") {
                run("--", "sh", "-c", "sleep 600 & echo $! $$; wait").use {
                    val pids = it.out.readLine().split(" ").map(String::toLong)
                    it.signal(signal)
                    it.end() shouldBe code
                    it.errors() shouldBe listOf("run: interrupted, stopping sh and 1 descendants")
                    pids.forEach(::ends)
                }
            }
        }

        test("a command whose reader goes away is told so") {
            run("yes").use {
                it.out.readLine() shouldBe "y"
                it.out.close()
                it.end() shouldBe 128 + 13
            }
        }

        test("a program that does not exist is one line on stderr and exit code 127") {
            run("/no/such/program").use {
                it.end() shouldBe 127
                it.errors() shouldHaveSize 1
                it.errors().single() shouldContain "/no/such/program"
            }
        }

        test("help tells the options") {
            val help = shouldThrow<PrintHelpMessage> { Run().parse(listOf("--help")) }
            val text = Run().getFormattedHelp(help).orEmpty()
            for (option in listOf("--timeout", "--grace", "124")) text shouldContain option
        }

        for (arguments in
            listOf(
                listOf(),
                listOf("--timeout", "-1", "true"),
                listOf("--grace=soon", "true"),
                listOf("--x", "true"),
            )) {
            test("bad arguments are a usage error: $arguments") {
                shouldThrow<UsageError> { Run().parse(arguments) }.statusCode shouldBe 1
            }
        }
    })

private const val MAIN = "dev.epoll.examples.RunKt"

private fun run(vararg arguments: String) = ExampleProcess.start(MAIN, *arguments)

private fun ends(pid: Long) =
    Eventually.until("process $pid ends") { ProcessHandle.of(pid).map { !it.isAlive }.orElse(true) }
