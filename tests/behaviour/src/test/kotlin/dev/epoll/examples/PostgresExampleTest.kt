package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.doubles.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldMatch
import io.kotest.matchers.string.shouldStartWith
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createFile
import kotlin.io.path.deleteExisting
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText

private const val MAIN = "dev.epoll.examples.PostgresKt"

class PostgresExampleTest :
    FunSpec({
        beforeSpec { PostgresServer.ensureStarted() }

        fun postgres(vararg options: String) = ExampleProcess.start(MAIN, "--url", PostgresServer.url, *options)

        test("many connections together take the time of their share of the queries") {
            postgres("--connections", "20", "--queries", "100").use { example ->
                val line = example.rest().single()
                line shouldMatch "100 of 100 queries done, over 20 connections, in \\d+.\\d\\ds"
                line.substringAfter(" in ").removeSuffix("s").toDouble() shouldBeGreaterThanOrEqual 0.5
                example.errors() shouldBe emptyList()
                example.end() shouldBe 0
            }
        }

        for (signal in listOf("INT", "TERM")) {
            test("one thread waits for all queries, and at SIG$signal they end on the server") {
                withPoller {
                    val watch = connect()
                    val sleep = "$SLEEP -- $signal"
                    postgres("--connections", "40", "--queries", "50", "--sql", sleep).use { example ->
                        watch.waitForActive(40, sleep)
                        val threads = threadsOf(example.pid)
                        threads.count { it.startsWith("epoll-poller") } shouldBe 1
                        threads.filter { it.startsWith("DefaultDispatch") || it.startsWith("kotlinx") } shouldBe
                            emptyList()
                        example.signal(signal)
                        watch.waitForActive(0, sleep)
                        example.rest().single() shouldStartWith "0 of 50 queries done, over 40 connections, in "
                        example.errors() shouldBe emptyList()
                        example.end()
                    }
                }
            }
        }

        test("prints notifications as they come, until it is stopped") {
            withPoller {
                val notifier = connect()
                postgres("--listen", "jobs").use { example ->
                    example.out.readLine() shouldBe "listening to jobs"
                    for (payload in listOf("first", "second", "")) {
                        notifier.query("notify jobs, '$payload'")
                        example.out.readLine() shouldBe "jobs: $payload"
                    }
                    example.signal("INT")
                    example.rest() shouldBe emptyList()
                    example.errors() shouldBe emptyList()
                }
            }
        }

        test("queries that fail are counted by their errors") {
            postgres("--queries", "30", "--sql", "select 1/0").use { example ->
                example.end() shouldBe 1
                example.rest().single() shouldStartWith "0 of 30 queries done"
                example.errors() shouldContainExactly listOf("30 failed: 22012 ERROR:  division by zero")
            }
        }

        test("a server that is not there is an error that says where it was sought") {
            ExampleProcess.start(MAIN, "--url", "host=/no/such/folder", "--queries", "3").use { example ->
                example.end() shouldBe 1
                example.errors().first() shouldStartWith "3 failed: 08001 "
                example.errors().first() shouldContain "/no/such/folder"
            }
            ExampleProcess.start(MAIN, "--url", "host=/no/such/folder", "--listen", "jobs").use { example ->
                example.end() shouldBe 1
                example.rest() shouldBe emptyList()
                example.errors().first() shouldContain "/no/such/folder"
            }
        }

        test("without libpq, one line says which package is missing") {
            val folder = Files.createTempDirectory("nolibpq")
            val broken = folder.resolve("libpq.so.5").createFile()
            try {
                val builder = ProcessBuilder(ExampleProcess.command(MAIN))
                builder.environment()["LD_LIBRARY_PATH"] = "$folder"
                ExampleProcess(builder).use { example ->
                    example.end() shouldBe 1
                    example.rest() shouldBe emptyList()
                    example.errors() shouldHaveSize 1
                    example.errors().single() shouldContain "install the package libpq5"
                }
            } finally {
                broken.deleteExisting()
                folder.deleteExisting()
            }
        }

        test("help tells the options") {
            val help = shouldThrow<PrintHelpMessage> { Postgres().parse(listOf("--help")) }
            val text = Postgres().getFormattedHelp(help).orEmpty()
            for (option in listOf("--url", "--connections", "--queries", "--sql", "--listen")) text shouldContain option
        }

        for (bad in listOf("--connections=0", "--queries=-1", "--queries=x", "--nonsense")) {
            test("bad options are a usage error: $bad") {
                shouldThrow<UsageError> { Postgres().parse(listOf(bad)) }.statusCode shouldBe 1
            }
        }
    })

/** The names of a process's threads, of which the kernel keeps 15 characters. */
private fun threadsOf(pid: Long): List<String> =
    Path.of("/proc/$pid/task").listDirectoryEntries().map { it.resolve("comm").readText().trim() }
