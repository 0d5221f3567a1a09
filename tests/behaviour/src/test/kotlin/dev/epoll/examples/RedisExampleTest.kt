package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import dev.epoll.testing.Eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import java.io.File
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.ByteBuffer
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.random.Random

private const val MAIN = "dev.epoll.examples.RedisKt"
private const val LIMIT_SECONDS = 60

/** What is typed, and the lines of the reply. Real Redis is asked the same below. */
private val conversations: List<Pair<String, List<String>>> =
    listOf(
        "ping; PING hello; echo hi" to listOf("+PONG", "$5", "hello", "$2", "hi"),
        "set k v; get k; get nokey; exists k k nokey; del k nokey; exists k" to
            listOf("+OK", "$1", "v", "$-1", ":2", ":1", ":0"),
        "mset a 1 b 2; mget a nokey b; dbsize; flushall; dbsize" to
            listOf("+OK", "*3", "$1", "1", "$-1", "$1", "2", ":2", "+OK", ":0"),
        "set k 1 nx; set k 2 NX; set k 3 xx; get k; set nokey 1 xx" to listOf("+OK", "$-1", "+OK", "$1", "3", "$-1"),
        "incr n; incr n; decr n; decr m; get m" to listOf(":1", ":2", ":1", ":-1", "$2", "-1"),
        "set k v ex 100; ttl k; set k v; ttl k; ttl nokey; pttl nokey" to
            listOf("+OK", ":100", "+OK", ":-1", ":-2", ":-2"),
        "set n 1 px 100000; incr n; ttl n" to listOf("+OK", ":2", ":100"),
        "set k v; expire k 100; ttl k; expire k 0; get k; expire k 9" to listOf("+OK", ":1", ":100", ":1", "$-1", ":0"),
        "set k v; expire k -5; exists k" to listOf("+OK", ":1", ":0"),
        "set '' \"\"; get ''; set \"a b\" 'c\\'d'; get \"a\\x20b\"" to listOf("+OK", "$0", "", "+OK", "$3", "c'd"),
        "select 0; client getname; client setname me; client getname" to listOf("+OK", "$-1", "+OK", "$2", "me"),
        "config get save; config get nothing; config get appendonly" to
            listOf("*2", "$4", "save", "$0", "", "*0", "*2", "$10", "appendonly", "$2", "no"),
        "quit; ping" to listOf("+OK"),
        // What cannot be done
        "foo" to listOf("-ERR unknown command 'foo', with args beginning with: "),
        "Foo bar 'b z' ''" to listOf("-ERR unknown command 'Foo', with args beginning with: 'bar' 'b z' '' "),
        "${"f".repeat(200)} ${"a".repeat(200)} b" to
            listOf("-ERR unknown command '${"f".repeat(128)}', with args beginning with: '${"a".repeat(128)}' "),
        "foo ${"a".repeat(100)} ${"b".repeat(100)}" to
            listOf("-ERR unknown command 'foo', with args beginning with: '${"a".repeat(100)}' '${"b".repeat(25)}' "),
        "foo \"a\\r\\nb\"" to listOf("-ERR unknown command 'foo', with args beginning with: 'a  b' "),
        "get; get a b; ping a b; mset a; mset a b c" to
            listOf("get", "get", "ping", "mset", "mset").map { "-ERR wrong number of arguments for '$it' command" },
        "GET; config get; client setname; client; dbsize x" to
            listOf("get", "config|get", "client|setname", "client", "dbsize").map {
                "-ERR wrong number of arguments for '$it' command"
            },
        "config foo; Client foo; command foo" to
            listOf("CONFIG", "CLIENT", "COMMAND").map { "-ERR unknown subcommand 'foo'. Try $it HELP." },
        "set k abc; incr k; set k 01; incr k; set k ' 1'; decr k" to
            List(3) { listOf("+OK", "-ERR value is not an integer or out of range") }.flatten(),
        "set k 9223372036854775807; incr k; set k -9223372036854775808; decr k" to
            List(2) { listOf("+OK", "-ERR increment or decrement would overflow") }.flatten(),
        "set k v nx xx; set k v ex; set k v ex 1 px 1; set k v foo; set k v ex x foo; get k" to
            List(5) { "-ERR syntax error" } + "$-1",
        "set k v ex 0; set k v px -1; set k v ex 9223372036854775807" to
            List(3) { "-ERR invalid expire time in 'set' command" },
        "set k v ex x; expire k x; select x" to List(3) { "-ERR value is not an integer or out of range" },
        "expire k 9223372036854775807; expire k -9223372036854775808" to
            List(2) { "-ERR invalid expire time in 'expire' command" },
        "expire k 1 foo; select 1" to listOf("-ERR Unsupported option foo", "-ERR DB index is out of range"),
        "client setname 'a b'" to listOf("-ERR Client names cannot contain spaces, newlines or special characters."),
        // What cannot be understood: the reply is the last
        "get \"a; ping" to listOf("-ERR Protocol error: unbalanced quotes in request"),
        "*1; $-1; ping" to listOf("-ERR Protocol error: invalid bulk length"),
        "*1; $536870913; ping" to listOf("-ERR Protocol error: invalid bulk length"),
        "ping; *1; \$x; ping" to listOf("+PONG", "-ERR Protocol error: invalid bulk length"),
        "*x; ping" to listOf("-ERR Protocol error: invalid multibulk length"),
        "*99999999999; ping" to listOf("-ERR Protocol error: invalid multibulk length"),
        "*2; $4; ping; ping" to listOf("-ERR Protocol error: expected '$', got 'p'"),
        "x".repeat(64 * 1024 + 1) + "..." to listOf("-ERR Protocol error: too big inline request"),
        "*" + "1".repeat(64 * 1024) + "..." to listOf("-ERR Protocol error: too big mbulk count string"),
        "*1; $" + "1".repeat(64 * 1024) + "..." to listOf("-ERR Protocol error: too big bulk count string"),
        "*0; *-1; ; *1; $4; ping" to listOf("+PONG"),
    )

class RedisExampleTest :
    FunSpec({
        val server = lazy { redis() }
        val port by lazy { server.value.port() }
        afterSpec { if (server.isInitialized()) server.value.close() }
        beforeTest { talk(port, "flushall") shouldBe listOf("+OK") }

        test("replies what Redis replies") {
            for ((request, reply) in conversations) converse(port, request, reply)
        }

        test("real Redis replies the same").config(enabled = RealRedis.isInstalled) {
            RealRedis().use { real -> for ((request, reply) in conversations) converse(real.port, request, reply) }
        }

        test("replies the same if the bytes come one at a time") {
            for ((request, reply) in conversations.filter { it.first.length < 500 }) {
                // What comes after a protocol error is answered by a reset, which may overtake the reply.
                if (reply.any { "Protocol error" in it }) continue
                talk(port, "flushall")
                withClue(request) { talk(port, request, pieceSize = 1) shouldBe reply }
            }
        }

        test("more words than Redis once took are a protocol error") {
            talk(port, "*1048577; ping") shouldBe listOf("-ERR Protocol error: invalid multibulk length")
        }

        test("redis-cli works") {
            cli(port, "set", "key", "a value") shouldBe "OK"
            cli(port, "get", "key") shouldBe "a value"
            cli(port, "expire", "key", "100") shouldBe "1"
            cli(port, "ttl", "key") shouldBe "100"
            cli(port, "mget", "key", "nokey").lines() shouldBe listOf("a value", "")
            cli(port, "--no-raw", "mget", "key", "nokey").lines() shouldBe listOf("1) \"a value\"", "2) (nil)")
            cli(port, "incr", "key").trimEnd('\n') shouldBe "ERR value is not an integer or out of range"
            cli(port, "-r", "5", "incr", "n").lines() shouldBe listOf("1", "2", "3", "4", "5")
            cli(port, "-n", "0", "info", "keyspace") shouldContain "db0:keys=2,expires=1"
            cli(port, "-3", "ping") shouldContain "PONG"
            cli(port, "lpush", "list") shouldContain "ERR unknown command 'lpush', with args beginning with: 'list' "
            cli(port, "-x", "set", "key", input = "from stdin") shouldBe "OK"
            cli(port, input = "get key\nquit\n").lines().first() shouldBe "from stdin"
        }

        test("redis-cli --pipe puts in ten thousand keys") {
            val commands =
                (1..10_000).joinToString("") {
                    "*3\r\n$3\r\nSET\r\n$6\r\nk%05d\r\n$3\r\n%03d\r\n".format(it, it % 1000)
                }
            cli(port, "--pipe", input = commands) shouldContain "errors: 0, replies: 10000"
            talk(port, "dbsize; get k04321") shouldBe listOf(":10000", "$3", "321")
        }

        test("redis-benchmark gets every reply, and every command was done once") {
            val commands = commandsRun(port)
            val said =
                run(
                    "redis-benchmark",
                    "-p",
                    "$port",
                    "-P",
                    "16",
                    "-q",
                    "-c",
                    "10",
                    "-n",
                    "3200",
                    "-t",
                    "ping,set,get,incr,mset",
                )
            said.split('\r', '\n').filter { it.contains("requests per second") } shouldHaveSize 6
            said.lowercase().run {
                this shouldNotContain "err"
                this shouldNotContain "warning"
            }
            talk(port, "get counter:__rand_int__; exists key:__rand_int__") shouldBe listOf("$4", "3200", ":1")
            commandsRun(port) - commands shouldBeGreaterThanOrEqual 6 * 3200
        }

        test("keys and values are any bytes, of any size") {
            val key = ByteArray(256) { it.toByte() }
            val value = Random(7).nextBytes(20_000_000)
            connect(port).use { socket ->
                socket
                    .getOutputStream()
                    .write(command("SET".toByteArray(), key, value) + command("GET".toByteArray(), key))
                socket.shutdownOutput()
                val expected = "+OK\r\n$${value.size}\r\n".toByteArray() + value + "\r\n".toByteArray()
                socket.getInputStream().readAllBytes().contentEquals(expected) shouldBe true
            }
        }

        test("all replies to what came at once go out with one write") {
            val trace = Files.createTempFile("redis", ".strace")
            val strace =
                ProcessBuilder("strace", "-f", "-qq", "-e", "trace=sendto", "-o", "$trace", "-p", "${server.value.pid}")
            val tracer = strace.inheritIO().start()
            try {
                Eventually.until("a write is seen") {
                    talk(port, "ping") == listOf("+PONG") && trace.readLines().isNotEmpty()
                }
                talk(port, List(100) { "ping" }.joinToString("; ")) shouldBe List(100) { "+PONG" }
                talk(port, "echo end") shouldBe listOf("$3", "end")
                val sent = { trace.readLines().map { it.substringAfterLast("= ") } }
                Eventually.until("the last write is seen") { sent().last() == "9" }
                sent().takeLast(2) shouldBe listOf("700", "9")
            } finally {
                tracer.destroy()
                tracer.waitFor()
                Files.delete(trace)
            }
        }

        test("a key with a time to live is there until then, and not after") {
            val start = System.nanoTime()
            talk(port, "set k v ex 1; ttl k") shouldBe listOf("+OK", ":1")
            Eventually.until("the key is gone") { talk(port, "get k") == listOf("$-1") }
            System.nanoTime() - start shouldBeGreaterThanOrEqual 1_000_000_000
            talk(port, "ttl k") shouldBe listOf(":-2")
        }

        test("keys that nobody asks for expire too") {
            val keys = 3000
            talk(port, (1..keys).joinToString("; ") { "set $it v px 50" }) shouldHaveSize keys
            Eventually.until("no key is left") { talk(port, "dbsize") == listOf(":0") }
        }

        test("a client that never reads its replies is not read from, and keeps nobody up") {
            val value = "v".repeat(50_000)
            talk(port, "set k $value") shouldBe listOf("+OK")
            val before = commandsRun(port)
            val gets = ByteBuffer.wrap("get k\r\n".repeat(10_000).toByteArray())
            SocketChannel.open(InetSocketAddress(InetAddress.getLoopbackAddress(), port)).use { deaf ->
                deaf.configureBlocking(false)
                var refused = 0
                while (refused < 20) {
                    if (deaf.write(gets) == 0) refused++
                    if (!gets.hasRemaining()) gets.rewind()
                    // What the kernel's buffers hold of the replies, by far.
                    commandsRun(port) - before shouldBeLessThan 2000
                }
            }
        }

        test("lengths that are only announced cost no memory") {
            val announced = List(100) { connect(port) }
            for (socket in announced) socket.getOutputStream().write("*1048576\r\n$536870912\r\n".toByteArray())
            // None has failed for want of memory.
            count(port, "connected_clients") shouldBeGreaterThanOrEqual 101
            announced.forEach { it.close() }
        }

        test("a client that is reset or leaves in the middle of a command harms nobody") {
            connect(port).use {
                it.setSoLinger(true, 0)
                it.getOutputStream().write("set k v\r\n".repeat(10_000).toByteArray())
            }
            talk(port, "ping; *2; $3; ge...") shouldBe listOf("+PONG")
            talk(port, "ping") shouldBe listOf("+PONG")
        }

        for (signal in listOf("TERM", "INT")) {
            test("at SIG$signal it closes its connections, and says what it served") {
                redis().use { redis ->
                    val own = redis.port()
                    talk(own, "set k v; get k; foo") shouldHaveSize 4
                    connect(own).use { idle ->
                        idle.getOutputStream().write("ping\r\n".toByteArray())
                        idle.getInputStream().readNBytes(7).decodeToString() shouldBe "+PONG\r\n"
                        redis.signal(signal)
                        redis.rest() shouldBe listOf("served 2 connections, 4 commands")
                        idle.getInputStream().read() shouldBe -1
                    }
                    redis.errors() shouldBe emptyList()
                }
            }
        }

        test("when no descriptor is free it says so, and accepts again once one is") {
            val limited = listOf("bash", "-c", "ulimit -n 100; exec \"$@\"", "redis")
            ExampleProcess(ProcessBuilder(limited + ExampleProcess.command(MAIN, "--port", "0"))).use { redis ->
                val own = redis.port()
                val clients = List(120) { connect(own) }
                Eventually.until("no descriptor is free") { File("/proc/${redis.pid}/fd").list()!!.size == 100 }
                clients.forEach { it.close() }
                talk(own, "ping") shouldBe listOf("+PONG")
                redis.signal("TERM")
                redis.rest() shouldBe listOf("served 121 connections, 1 commands")
                redis.errors().any { "EMFILE" in it } shouldBe true
            }
        }

        test("a port in use is one line on stderr and exit code 1") {
            redis("--port", "$port").use {
                it.end() shouldBe 1
                it.errors() shouldHaveSize 1
                it.errors().single() shouldContain "$port"
            }
        }

        test("help tells the options") {
            val help = shouldThrow<PrintHelpMessage> { Redis().parse(listOf("--help")) }
            val text = Redis().getFormattedHelp(help).orEmpty()
            for (option in listOf("--host", "--port")) text shouldContain option
        }

        for (arguments in listOf(listOf("--port", "x"), listOf("--port", "65536"), listOf("--nonsense"))) {
            test("bad options are a usage error: ${arguments.joinToString(" ")}") {
                shouldThrow<UsageError> { Redis().parse(arguments) }.statusCode shouldBe 1
            }
        }
    })

private fun redis(vararg arguments: String = arrayOf("--port", "0")) = ExampleProcess.start(MAIN, *arguments)

private fun converse(port: Int, request: String, reply: List<String>) {
    talk(port, "flushall")
    withClue(request.take(100)) { talk(port, request) shouldBe reply }
}

/**
 * Sends lines, written with `; ` between them, the last without its end if `...` is there, and returns those of the
 * reply, up to the end of the stream.
 */
private fun talk(port: Int, request: String, pieceSize: Int = Int.MAX_VALUE): List<String> =
    connect(port).use { socket ->
        val bytes = "$request; ".removeSuffix("...; ").replace("; ", "\r\n").toByteArray()
        for (piece in bytes.asList().chunked(pieceSize.coerceAtMost(bytes.size))) {
            socket.getOutputStream().write(piece.toByteArray())
        }
        socket.shutdownOutput()
        socket.getInputStream().readAllBytes().decodeToString().split("\r\n").dropLast(1)
    }

private fun connect(port: Int): Socket =
    Socket(InetAddress.getLoopbackAddress(), port).apply {
        tcpNoDelay = true
        soTimeout = LIMIT_SECONDS * 1000
    }

/** One of the numbers that INFO tells. */
private fun count(port: Int, name: String): Long =
    talk(port, "info").single { it.startsWith("$name:") }.substringAfter(':').toLong()

private fun commandsRun(port: Int) = count(port, "total_commands_processed")

private fun command(vararg words: ByteArray): ByteArray =
    words.fold("*${words.size}\r\n".toByteArray()) { all, word ->
        all + "$${word.size}\r\n".toByteArray() + word + "\r\n".toByteArray()
    }

private fun cli(port: Int, vararg arguments: String, input: String = ""): String =
    run("redis-cli", "-p", "$port", *arguments, input = input)

private fun run(vararg command: String, input: String = ""): String {
    val process = ProcessBuilder("timeout", "$LIMIT_SECONDS", *command).redirectErrorStream(true).start()
    process.outputStream.use { it.write(input.toByteArray()) }
    return process.inputStream.readAllBytes().decodeToString().removeSuffix("\n").also { process.waitFor() }
}

/** Redis itself: the server is the same program as redis-check-rdb, which comes with redis-cli, by another name. */
private class RealRedis : AutoCloseable {
    val port = ServerSocket(0).use { it.localPort }
    private val folder = Files.createTempDirectory("redis")
    private val process: Process

    init {
        val server = Files.createSymbolicLink(folder.resolve("redis-server"), PROGRAM)
        val arguments = listOf("--port", "$port", "--save", "", "--databases", "1", "--dir", "$folder")
        process = ProcessBuilder(listOf("$server") + arguments).redirectOutput(folder.resolve("log").toFile()).start()
        Eventually.until("redis listens") { runCatching { talk(port, "ping") == listOf("+PONG") }.getOrDefault(false) }
    }

    override fun close() {
        process.destroyForcibly().waitFor()
        folder.toFile().deleteRecursively()
    }

    companion object {
        private val PROGRAM = Path.of("/usr/bin/redis-check-rdb")

        /** Only this version: others say some things in other words. */
        val isInstalled = Files.exists(PROGRAM) && run("redis-cli", "--version").startsWith("redis-cli 7.0.")
    }
}
