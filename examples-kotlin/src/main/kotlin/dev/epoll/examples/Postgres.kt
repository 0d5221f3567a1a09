package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.asCoroutineDispatcher
import java.sql.SQLException
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlin.time.TimeSource
import kotlinx.coroutines.*

/** Queries PostgreSQL over many connections on one thread, by a C library that knows nothing of coroutines. */
class Postgres : CliktCommand("postgres") {
    private val url by
        option(help = "connection string or URI of libpq; PGHOST and the like tell what it leaves out").default("")
    private val connections by option(help = "how many at once").int().restrictTo(min = 1).default(10)
    private val queries by option(help = "how many in all").int().restrictTo(min = 0).default(100)
    private val sql by option(help = "what to query").default("select pg_sleep(0.1)")
    private val listen by option(metavar = "channel", help = "print notifications instead, as they come")

    override fun help(context: Context) =
        "Sends queries to PostgreSQL, or listens to it. SIGINT and SIGTERM cancel on the server what still runs."

    override fun run() {
        try {
            libpq
            Poller.open().use { poller ->
                runBlocking(poller.asCoroutineDispatcher()) {
                    launch {
                        cancelAtShutdown(coroutineContext.job)
                        listen?.let { printNotifications(poller, it) } ?: query(poller)
                    }
                }
            }
        } catch (e: UnsatisfiedLinkError) {
            throw failure("libpq.so.5 is missing: install the package libpq5 (Debian, Ubuntu) or libpq (Fedora)")
        } catch (e: SQLException) {
            throw failure(e.message)
        }
    }

    private fun failure(message: String?) = PrintMessage("$message", statusCode = 1, printError = true)

    private fun cancelAtShutdown(job: Job) {
        val cancel = thread(start = false) { runBlocking { withTimeoutOrNull(5.seconds) { job.cancelAndJoin() } } }
        Runtime.getRuntime().addShutdownHook(cancel)
    }

    private suspend fun query(poller: Poller) {
        var done = 0
        val errors = mutableMapOf<String, Int>()
        val start = TimeSource.Monotonic.markNow()
        try {
            PgPool(poller, url, connections).use { pool ->
                coroutineScope {
                    repeat(queries) {
                        launch {
                            try {
                                pool.withConnection { it.query(sql) }
                                done++
                            } catch (e: SQLException) {
                                errors.merge("${e.sqlState} ${e.message}", 1, Int::plus)
                            }
                        }
                    }
                }
            }
        } finally {
            val time = start.elapsedNow().toString(DurationUnit.SECONDS, decimals = 2)
            echo("$done of $queries queries done, over $connections connections, in $time")
            errors.forEach { (error, count) -> echo("$count failed: $error", err = true) }
        }
        if (errors.isNotEmpty()) throw ProgramResult(1)
    }

    private suspend fun printNotifications(poller: Poller, channel: String) =
        PgConnection.connect(poller, url).use { connection ->
            connection.listen(channel)
            echo("listening to $channel")
            connection.notifications().collect { echo("${it.channel}: ${it.payload}") }
        }
}

fun main(args: Array<String>) = Postgres().main(args)
