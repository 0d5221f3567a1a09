package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import dev.epoll.testing.until
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldMatch
import io.kotest.matchers.string.shouldNotContain
import java.io.Closeable
import java.io.EOFException
import java.io.File
import java.io.IOException
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText
import kotlin.random.Random
import kotlinx.coroutines.delay

private const val BIG = 50_000_000
private const val GET = "GET /plaintext HTTP/1.1\r\nHost: a\r\n"

class HttpExampleTest :
    FunSpec({
        val folder = Files.createTempDirectory("http")
        val root = folder.resolve("root").createDirectory()
        root.resolve("index.html").writeText("the start")
        root.resolve("a b+c.txt").writeText("with a blank")
        root.resolve("empty.css").writeText("")
        root.resolve("one.bin").writeBytes(byteArrayOf(0))
        root.resolve("big.bin").writeBytes(Random(1).nextBytes(BIG))
        root.resolve("sub").createDirectory().resolve("index.html").writeText("below")
        root.resolve("bare").createDirectory()
        folder.resolve("secret").writeText("secret")
        folder.resolve("root2").createDirectory().resolve("secret").writeText("secret")
        root.resolve("in").createSymbolicLinkPointingTo(Path.of("sub/index.html"))
        root.resolve("out").createSymbolicLinkPointingTo(Path.of("../secret"))
        root.resolve("up").createSymbolicLinkPointingTo(Path.of(".."))

        val server by lazy { http("--root", "$root", "--idle", "600") }
        val port by lazy { server.port() }
        val url by lazy { "http://127.0.0.1:$port" }
        afterSpec {
            server.close()
            folder.toFile().deleteRecursively()
        }

        for ((path, type, body) in
            listOf(
                Triple("/plaintext", "text/plain", "Hello, World!"),
                Triple("/json", "application/json", """{"message":"Hello, World!"}"""),
                Triple("/json?any=query", "application/json", """{"message":"Hello, World!"}"""),
                Triple("/", "text/html", "the start"),
                Triple("/sub", "text/html", "below"),
                Triple("/sub/", "text/html", "below"),
                Triple("/in", "application/octet-stream", "below"),
                Triple("/sub/../a%20b+c.txt", "text/plain", "with a blank"),
                Triple("/empty.css", "text/css", ""),
                Triple("/one.bin", "application/octet-stream", "\u0000"),
            )) {
            test("curl gets $path") {
                val head = curl("--path-as-is", "-I", "$url$path")
                head shouldContain "HTTP/1.1 200 OK\r\n"
                head shouldContain "Content-Type: $type\r\n"
                head shouldContain "Content-Length: ${body.length}\r\n"
                head shouldContain Regex("Date: \\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT\r\n\r\n$")
                curl("--path-as-is", "$url$path") shouldBe body
            }
        }

        test("a file of 50 MB comes byte for byte") {
            val got = folder.resolve("got")
            curl("-o", "$got", "$url/big.bin")
            got.readBytes().contentEquals(root.resolve("big.bin").readBytes()) shouldBe true
        }

        for (path in
            listOf(
                "/none",
                "/bare",
                "/bare/",
                "/one.bin/more",
                "/../secret",
                "/../root2/secret",
                "/sub/../../secret",
                "/%2e%2e/secret",
                "/..%2fsecret",
                "/%2Fetc%2Fpasswd",
                "/out",
                "/up/secret",
                "/" + "x".repeat(300),
            )) {
            test("there is no ${path.take(20)}") {
                curl("--path-as-is", "-i", "$url$path") shouldMatch
                    Regex("HTTP/1.1 404 .*404 Not Found\n", RegexOption.DOT_MATCHES_ALL)
            }
        }

        test("a path that is badly encoded is refused, and the connection goes on") {
            Client(port).use {
                for (path in listOf("/%zz", "/%", "/%00")) {
                    it.send("GET $path HTTP/1.1\r\nHost: a\r\n\r\n")
                    it.answer().status shouldBe 400
                }
            }
        }

        test("a file that may not be read is forbidden, and one that no descriptor is free for is for later") {
            HttpSite.status(java.nio.file.AccessDeniedException("x")) shouldBe HttpStatus.FORBIDDEN
            HttpSite.status(dev.epoll.SyscallException("open", 24, -1)) shouldBe HttpStatus.UNAVAILABLE
        }

        test("curl uses a connection again") {
            val (out, said) = run("curl", "-sv", "$url/plaintext", "$url/a%20b+c.txt", "$url/none", "$url/json")
            out shouldBe
                """
                |Hello, World!with a blank404 Not Found
                |{"message":"Hello, World!"}
                """
                    .trimMargin()
            Regex("Re-using existing").findAll(said).count() shouldBe 3
            run("curl", "-sv", "--http1.0", "$url/plaintext").second shouldContain "Connection: close"
            run("curl", "-sv", "--http1.0", "-H", "Connection: keep-alive", "$url/plaintext", "$url/json")
                .second shouldContain "Re-using existing"
        }

        test("curl sends a body that nobody reads, and goes on") {
            val body = folder.resolve("body").also { it.writeBytes(ByteArray(MAX_BODY.toInt())) }
            val (out, said) =
                run(
                    "curl",
                    "-sv",
                    "-XGET",
                    "-HExpect: 100-continue",
                    "--data-binary",
                    "@$body",
                    "$url/plaintext",
                    "$url/json",
                )
            out shouldBe """Hello, World!{"message":"Hello, World!"}"""
            said shouldContain "HTTP/1.1 100 Continue"
            said shouldContain "Re-using existing"
        }

        test("curl is told of what is not done") {
            val tooLarge = folder.resolve("large").also { it.writeBytes(ByteArray(MAX_BODY.toInt() + 1)) }
            curl("-i", "-HExpect:", "--data-binary", "@$tooLarge", "$url/json") shouldContain "413 Content Too Large"
            curl("-i", "-T", "-", "-HTransfer-Encoding: chunked", "$url/json") shouldContain "411 Length Required"
            val post = curl("-i", "-d", "a=b", "$url/json")
            post shouldContain "405 Method Not Allowed"
            post shouldContain "Allow: GET, HEAD\r\n"
            curl("-i", "-X", "BREW", "$url/json") shouldContain "501 Not Implemented"
            curl("-i", "-HX: ${"x".repeat(MAX_HEAD)}", "$url/json") shouldContain "431 Request Header"
            curl("-i", "$url/${"x".repeat(MAX_HEAD)}") shouldContain "414 URI Too Long"
        }

        test("requests that come together are answered in order, however they are cut") {
            val paths = listOf("plaintext", "json", "empty.css", "none", "a%20b+c.txt", "plaintext", "%", "sub/")
            val bodies =
                listOf("Hello, World!", """{"message":"Hello, World!"}""", "", "404 Not Found\n", "with a blank")
            val all = paths.joinToString("") { "GET /$it HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx" }
            for (size in listOf(1, 7, 100, all.length)) {
                Client(port).use { client ->
                    all.chunked(size).forEach { client.send(it) }
                    val answers = paths.map { client.answer() }
                    answers.map { it.body }.take(5) shouldBe bodies
                    answers.map { it.status } shouldBe listOf(200, 200, 200, 404, 200, 200, 400, 200)
                }
            }
        }

        test("more requests at once than the buffers hold are all answered") {
            Client(port).use { client ->
                val count = 2_000
                val sender = kotlin.concurrent.thread { repeat(count) { client.send("$GET\r\n") } }
                repeat(count) { client.answer().body shouldBe "Hello, World!" }
                sender.join()
            }
        }

        test("answers to what came together are sent together") {
            val requests = "HEAD /json HTTP/1.1\r\nHost: a\r\n\r\n" + "$GET\r\n".repeat(15)
            Client(port).use { client ->
                client.send("$GET\r\n")
                client.answer().status shouldBe 200
                val trace = folder.resolve("trace")
                val strace =
                    ProcessBuilder("strace", "-f", "-qq", "-e", "trace=sendto", "-o", "$trace", "-p", "${server.pid}")
                        .start()
                until("strace watches all threads") {
                    File("/proc/${server.pid}/task").listFiles().orEmpty().all {
                        it.resolve("status").readText().contains("TracerPid:\t${strace.pid()}")
                    }
                }
                client.send(requests)
                client.answer(hasBody = false).headers["content-length"] shouldBe "27"
                repeat(15) { client.answer().body shouldBe "Hello, World!" }
                strace.destroy()
                strace.waitFor()
                withClue(trace.toFile().readText()) {
                    trace.toFile().readLines().count { "HTTP/1.1 200" in it } shouldBe 1
                }
            }
        }

        test("HTTP/1.0 and Connection: close end the connection, and requests behind are not answered") {
            for (head in listOf("GET /json HTTP/1.0\r\n\r\n", "${GET}Connection: close\r\n\r\n", "nonsense\r\n\r\n")) {
                Client(port).use {
                    it.send("$head$GET\r\n")
                    it.answer().headers["connection"] shouldBe "close"
                    it.isAtEnd() shouldBe true
                }
            }
        }

        test("a client that ends its side has its answers first") {
            Client(port).use {
                it.send("$GET\r\n$GET\r\nGET /in")
                it.socket.shutdownOutput()
                repeat(2) { _ -> it.answer().status shouldBe 200 }
                it.isAtEnd() shouldBe true
            }
        }

        test("a client that resets in the middle of a file leaves nothing open") {
            val before = port.let { server.sockets() } // once it listens
            repeat(5) {
                Client(port).use { client ->
                    client.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                    client.input.skipNBytes(300_000)
                    server.fds() shouldContain "${root.resolve("big.bin")}"
                    client.socket.setSoLinger(true, 0)
                }
            }
            until("the file and the connections are closed") {
                server.fds().none { "big.bin" in it } && server.sockets() <= before
            }
            curl("$url/plaintext") shouldBe "Hello, World!"
        }

        for ((path, more) in listOf("plaintext" to "", "json" to "", "a%20b+c.txt" to "", "" to PIPELINE)) {
            test(
                "wrk finds no fault in 200 connections${if (more.isEmpty()) " that get /$path" else ", 16 requests at once"}"
            ) {
                val script = folder.resolve("wrk.lua").also { it.writeText(more) }
                val (out, _) = run("wrk", "-t1", "-c200", "-d2", "--timeout", "30", "-s", "$script", "$url/$path")
                withClue(out) {
                    out shouldNotContain "Socket errors"
                    out shouldNotContain "Non-2xx"
                    Regex("(\\d+) requests in").find(out)!!.groupValues[1].toInt() shouldBeGreaterThan 200
                }
            }
        }

        test("a client that is idle, or too slow, is sent away, and not before its time") {
            http("--idle", "1", "--root", "$root").use { http ->
                val impatient = http.port()
                val start = System.nanoTime()
                val idle = Client(impatient)
                val slow = Client(impatient)
                val lazy = Client(impatient, receiveBuffer = 10_000)
                lazy.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                shouldThrow<IOException> {
                    while (true) {
                        slow.send("X")
                        delay(50)
                    }
                }
                slow.close()
                idle.use { it.isAtEnd() shouldBe true }
                System.nanoTime() - start shouldBeGreaterThanOrEqual 1_000_000_000
                until("the one that reads nothing is gone") { http.fds().none { "big.bin" in it } }
                lazy.close()
                http.signal("TERM")
                http.rest() shouldBe listOf("served 3 connections, 1 requests")
            }
        }

        test("a client that asks now and then is not idle") {
            http("--idle", "2").use { http ->
                Client(http.port()).use { client ->
                    val start = System.nanoTime()
                    while (System.nanoTime() - start < 4_500_000_000) {
                        client.send("$GET\r\n")
                        client.answer().status shouldBe 200
                        delay(20)
                    }
                }
            }
        }

        for (signal in listOf("TERM", "INT")) {
            test("SIG$signal ends the server, which says what it served") {
                http().use { http ->
                    Client(http.port()).use { idle ->
                        repeat(3) {
                            idle.send("$GET\r\nHEAD /none HTTP/1.1\r\nHost: a\r\n\r\n")
                            idle.answer().body shouldBe "Hello, World!"
                            idle.answer(hasBody = false).status shouldBe 404
                        }
                        http.signal(signal)
                        http.rest() shouldBe listOf("served 1 connections, 6 requests")
                        idle.isAtEnd() shouldBe true
                    }
                    http.errors() shouldBe emptyList()
                }
            }
        }

        test("clients that no descriptor is free for wait until there is one") {
            val limit = 120
            val command = ExampleProcess.command("dev.epoll.examples.HttpKt", "--port", "0")
            ExampleProcess(ProcessBuilder(listOf("prlimit", "--nofile=$limit", "--") + command)).use { http ->
                val busy = http.port()
                val clients = List(limit) { Client(busy) }
                clients.forEach { it.send("$GET\r\n") }
                until("all descriptors are in use") { http.fds().size == limit }
                for (client in clients) client.use { it.answer().status shouldBe 200 }
                http.signal("TERM")
                http.rest() shouldBe listOf("served $limit connections, $limit requests")
                http.errors().any { "EMFILE" in it } shouldBe true
            }
        }

        test("help tells the options") {
            val help = shouldThrow<PrintHelpMessage> { Http().parse(listOf("--help")) }
            val text = Http().getFormattedHelp(help).orEmpty()
            for (option in listOf("--host", "--port", "--root", "--idle")) text shouldContain option
        }

        for (arguments in listOf(listOf("--port", "65536"), listOf("--idle", "0"), listOf("--root", "/no/such"))) {
            test("bad options are a usage error: ${arguments.joinToString(" ")}") {
                shouldThrow<UsageError> { Http().parse(arguments) }.statusCode shouldBe 1
            }
        }
    })

private val PIPELINE =
    """
    init = function()
      all = string.rep(wrk.format(nil, "/plaintext"), 16)
    end
    request = function()
      return all
    end
    """

private fun http(vararg arguments: String) =
    ExampleProcess.start("dev.epoll.examples.HttpKt", "--port", "0", *arguments)

private fun ExampleProcess.sockets() = fds().count { it.startsWith("socket:") }

/** What a program says on stdout and on stderr. */
private fun run(vararg command: String): Pair<String, String> {
    val errors = Files.createTempFile("stderr", "")
    try {
        val process = ProcessBuilder(*command).redirectError(errors.toFile()).start()
        process.outputStream.close()
        val out = process.inputReader().readText()
        withClue("${command.toList()}: ${errors.toFile().readText()}") { process.waitFor() shouldBe 0 }
        return out to errors.toFile().readText()
    } finally {
        Files.delete(errors)
    }
}

private fun curl(vararg arguments: String) = run("curl", "-sS", *arguments).first

private class Answer(val status: Int, val headers: Map<String, String>, val body: String)

/** A client that sends what it is told to, right or wrong. */
private class Client(port: Int, receiveBuffer: Int? = null) : Closeable {
    val socket = Socket()
    val input by lazy { socket.getInputStream().buffered() }

    init {
        receiveBuffer?.let { socket.receiveBufferSize = it }
        socket.tcpNoDelay = true
        socket.soTimeout = 60_000
        socket.connect(java.net.InetSocketAddress("127.0.0.1", port))
    }

    fun send(text: String) = socket.getOutputStream().write(text.toByteArray())

    fun answer(hasBody: Boolean = true): Answer {
        val status = line().split(' ')[1].toInt()
        val headers = generateSequence {
            line().ifEmpty { null }
        }
            .associate { it.substringBefore(": ").lowercase() to it.substringAfter(": ") }
        val length = if (hasBody) headers.getValue("content-length").toInt() else 0
        return Answer(status, headers, input.readNBytes(length).decodeToString())
    }

    fun isAtEnd() = input.read() == -1

    private fun line(): String {
        val line = StringBuilder()
        while (!line.endsWith("\r\n")) {
            val byte = input.read()
            if (byte < 0) throw EOFException("the answer ended after: $line")
            line.append(byte.toChar())
        }
        return line.removeSuffix("\r\n").toString()
    }

    override fun close() = socket.close()
}
