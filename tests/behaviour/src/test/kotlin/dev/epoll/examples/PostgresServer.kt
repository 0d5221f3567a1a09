package dev.epoll.examples

import dev.epoll.testing.Eventually
import dev.epoll.testing.PollerScope
import io.kotest.matchers.shouldBe
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.io.path.exists
import kotlin.io.path.isDirectory
import kotlin.io.path.listDirectoryEntries
import kotlinx.coroutines.delay

/** Longer than any test may take, but not for ever: a query that is not cancelled is to fail a test, not to hang it. */
const val SLEEP = "select pg_sleep(60)"

/** A PostgreSQL server on a Unix socket, in a folder of its own that goes with it when this process ends. */
object PostgresServer {
    private val asRoot = System.getProperty("user.name") == "root"
    private val folder = Files.createTempDirectory("pg")
    private val log = folder.resolve("log").toFile()
    private var server: Process? = null

    val url = "host=$folder user=postgres dbname=postgres"

    private val started by lazy { start() }

    /** Starts it, unless it runs. Loads libpq too, as the first of that leaves an fd open. */
    fun ensureStarted() {
        started
        libpq
    }

    private fun start() {
        Runtime.getRuntime().addShutdownHook(thread(start = false) { stop() })
        val programs = Path.of("/usr/lib/postgresql").takeIf { it.isDirectory() }?.listDirectoryEntries().orEmpty()
        val bin = programs.map { it.resolve("bin") }.firstOrNull { it.resolve("initdb").exists() }
        checkNotNull(bin) { "these tests need a PostgreSQL server: install Debian's package postgresql" }
        // Which refuses to run as root.
        val user = if (asRoot) listOf("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") else listOf()
        if (asRoot) run(listOf("chown", "postgres:", "$folder"))
        val data = listOf("-D", "$folder/data")
        run(user + "$bin/initdb" + data + listOf("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"))
        val options = listOf("listen_addresses=", "unix_socket_directories=$folder", "fsync=off", "max_connections=120")
        val process = process(user + "$bin/postgres" + data + options.flatMap { listOf("-c", it) })
        server = process
        Eventually.until("it accepts connections") {
            check(process.isAlive) { "the server ended:\n${log.readText()}" }
            "ready to accept connections" in log.readText()
        }
    }

    private fun run(command: List<String>) {
        check(process(command).waitFor() == 0) { "${command.joinToString(" ")} failed:\n${log.readText()}" }
    }

    private fun process(command: List<String>): Process =
        ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectInput(File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
            .redirectErrorStream(true)
            .start()

    @OptIn(ExperimentalPathApi::class)
    private fun stop() {
        server?.let {
            // Immediate shutdown: it ends its children too, and does not wait for their clients.
            signal("QUIT", it.pid())
            if (!it.waitFor(10, TimeUnit.SECONDS)) it.destroyForcibly().waitFor()
        }
        folder.deleteRecursively()
    }

    /** Sends a signal to one of its processes. */
    fun signal(name: String, pid: Long) {
        ProcessBuilder("kill", "-$name", "$pid").inheritIO().start().waitFor() shouldBe 0
    }
}

suspend fun PollerScope.connect(): PgConnection = keep(PgConnection.connect(poller, PostgresServer.url))

suspend fun PgConnection.value(sql: String): String? = query(sql).rows.single().single()

/** The number of its process. */
suspend fun PgConnection.backend(): Long = value("select pg_backend_pid()")!!.toLong()

/** How many queries that begin with [prefix] the server is working at. */
suspend fun PgConnection.active(prefix: String = SLEEP): Int =
    value("select count(*) from pg_stat_activity where state = 'active' and starts_with(query, '$prefix')")!!.toInt()

suspend fun PgConnection.waitForActive(count: Int, prefix: String = SLEEP) {
    while (active(prefix) != count) delay(1)
}
