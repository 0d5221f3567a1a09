package dev.epoll.examples

import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainInOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.Closeable
import java.net.InetSocketAddress
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteIfExists
import kotlin.io.path.exists
import kotlin.io.path.writeText

class ChatExampleTest :
    FunSpec({
        val folder = Files.createTempDirectory("chat")
        val path = folder.resolve("socket")
        afterSpec { folder.toFile().deleteRecursively() }

        test("nc and socat talk to each other, in rooms, by names, and leave") {
            Place(path).use { chat ->
                val alice = chat.nc("alice")
                val bob = chat.socat("bob")
                alice.hears("* bob came to lobby")
                bob.says("hello, Grüße")
                for (each in listOf(alice, bob)) each.hears("bob: hello, Grüße")

                bob.says("/who")
                bob.hears("* lobby: alice bob")
                bob.says("/join attic")
                alice.hears("* bob went to attic")
                bob.hears("* bob came to attic")
                bob.says("nobody hears this")
                bob.hears("bob: nobody hears this")
                bob.says("/who")
                bob.hears("* attic: bob")

                val carol = chat.nc("carol")
                alice.hears("* carol came to lobby")
                carol.says("/quit")
                carol.end()
                alice.hears("* carol left")
                bob.says("/join lobby")
                bob.hears("* bob came to lobby")
                alice.hears("* bob came to lobby")
                bob.fallsSilent()
                bob.end()
                alice.hears("* bob left")

                chat.process.signal("TERM")
                alice.end()
                chat.process.rest() shouldBe listOf("served 3 clients, 2 lines")
                chat.process.errors() shouldBe emptyList()
                path.exists() shouldBe false
            }
        }

        test("SIGINT removes the socket's file too") {
            Place(path).use { chat ->
                path.exists() shouldBe true
                chat.process.signal("INT")
                chat.process.rest() shouldBe listOf("served 0 clients, 0 lines")
                path.exists() shouldBe false
            }
        }

        test("what is not a name, a room, a command or a line is told, and nothing else happens") {
            Place(path).use { chat ->
                val alice = chat.nc("alice")
                val other = chat.nc()
                other.hears("* Who are you?")
                for (name in listOf("two words", "x".repeat(21), "/who", "ä")) {
                    other.says(name)
                    other.hears("* A name is letters, digits, - and _, up to 20. Who are you?")
                }
                other.says("alice")
                other.hears("* alice is here already. Who are you?")
                other.says("bob\r")
                for (each in listOf(alice, other)) each.hears("* bob came to lobby")
                for (line in listOf("/join", "/join a b", "/nonsense")) {
                    other.says(line)
                    other.hears("* /join ROOM, /who, /quit; a room is letters, digits, - and _, up to 20")
                }
                other.says("")
                other.says("red \u001b[31m and /join me\u0007")
                alice.hears("bob: red [31m and /join me")
                other.hears("bob: red [31m and /join me")
                other.says("x".repeat(1023))
                alice.hears("bob: " + "x".repeat(1023))
                other.hears("bob: " + "x".repeat(1023))
                other.says("x".repeat(1024))
                other.hears("* A line has less than 1024 bytes. Bye.")
                other.end()
                alice.hears("* bob left")
                alice.says("a name that left is free")
                alice.hears("alice: a name that left is free")
                chat.nc("bob")
                alice.hears("* bob came to lobby")
            }
        }

        test("many lines at once harm nobody who reads") {
            Place(path).use { chat ->
                val alice = chat.nc("alice")
                val bob = chat.socat("bob")
                alice.hears("* bob came to lobby")
                val count = 1_000 // fewer than the queue holds, for nobody knows when nc has its turn
                thread { bob.says((1..count).joinToString("\n")) }
                val bobHears = CompletableFuture.runAsync { for (i in 1..count) bob.hears("bob: $i") }
                for (i in 1..count) alice.hears("bob: $i")
                bobHears.get(60, TimeUnit.SECONDS)
            }
        }

        test("a client that does not read is dropped, and the others do not wait for it") {
            Place(path).use { chat ->
                val alice = chat.nc("alice")
                val bob = chat.socat("bob")
                alice.hears("* bob came to lobby")
                Socket().use { slow ->
                    slow.receiveBufferSize = 4_096
                    slow.soTimeout = 60_000
                    slow.connect(InetSocketAddress("127.0.0.1", chat.port))
                    slow.getOutputStream().write("slow\n".toByteArray())
                    for (each in listOf(alice, bob)) each.hears("* slow came to lobby")

                    val line = "x".repeat(1_000)
                    var isDropped = false
                    var said = 0
                    while (!isDropped && said < 100_000) {
                        bob.says("${++said} $line")
                        // The notice comes in front of the line that was one too many, or behind it.
                        for (each in listOf(alice, bob)) {
                            var heard = each.line()
                            if (heard == "* slow was dropped, as it did not read") {
                                isDropped = true
                                heard = each.line()
                            }
                            heard shouldBe "bob: $said $line"
                        }
                    }
                    isDropped shouldBe true
                    bob.says("done")
                    for (each in listOf(alice, bob)) while (each.line() != "bob: done") Unit
                    val got = slow.getInputStream().bufferedReader().readLines()
                    got.take(3) shouldContainInOrder listOf("* Who are you?", "* slow came to lobby", "bob: 1 $line")
                    got.last() shouldBe "* You were dropped, as you did not read."
                    // All that was said before it was dropped reached it.
                    got[got.size - 2].substringBefore(" x") shouldBe "bob: ${got.size - 3}"
                }
            }
        }

        test("a client that resets leaves the room") {
            Place(path).use { chat ->
                val alice = chat.nc("alice")
                Socket("127.0.0.1", chat.port).use {
                    it.getOutputStream().write("bob\n".toByteArray())
                    alice.hears("* bob came to lobby")
                    it.setSoLinger(true, 0)
                }
                alice.hears("* bob left")
            }
        }

        test("a file in the way of the socket is said in one line, and stays") {
            path.writeText("mine")
            val failure = shouldThrow<CliktError> { Chat().parse(listOf("--port", "0", "--unix", "$path")) }
            failure.statusCode shouldBe 1
            failure.message.orEmpty() shouldContain "cannot listen on $path"
            path.deleteExisting()
        }

        test("a path that is too long for a socket is said in one line") {
            val long = "/tmp/" + "x".repeat(200)
            val failure = shouldThrow<CliktError> { Chat().parse(listOf("--port", "0", "--unix", long)) }
            failure.message.orEmpty() shouldContain "107"
        }

        test("a bad port is a usage error") {
            shouldThrow<UsageError> { Chat().parse(listOf("--port", "-1")) }.statusCode shouldBe 1
        }
    })

/** A chat and the people in it. */
private class Place(private val path: Path) : Closeable {
    val process = ExampleProcess.start("dev.epoll.examples.ChatKt", "--port", "0", "--unix", "$path")
    val port = process.port()
    private val people = mutableListOf<Person>()

    fun nc(name: String? = null) = person(name, "nc", "127.0.0.1", "$port")

    fun socat(name: String) = person(name, "socat", "-", "UNIX-CONNECT:$path")

    private fun person(name: String?, vararg command: String): Person {
        val person = Person(*command).also { people += it }
        if (name != null) {
            person.hears("* Who are you?")
            person.says(name)
            person.hears("* $name came to lobby")
        }
        return person
    }

    override fun close() {
        people.forEach { it.close() }
        process.close()
        path.deleteIfExists()
    }
}

/** Somebody who chats by a program that copies between a terminal and a socket. */
private class Person(vararg command: String) : Closeable {
    private val process = ProcessBuilder(*command).redirectErrorStream(true).start()
    private val out = process.inputReader(Charsets.UTF_8)
    private val input = process.outputStream

    fun says(line: String) {
        input.write("$line\n".toByteArray())
        input.flush()
    }

    fun line(): String? = CompletableFuture.supplyAsync { out.readLine() }.get(60, TimeUnit.SECONDS)

    fun hears(line: String) = line() shouldBe line

    /** Ends the input: socat ends its side of the connection then; nc goes on until the server ends it. */
    fun fallsSilent() = input.close()

    /** Waits for the end of the connection. */
    fun end() {
        input.close()
        line() shouldBe null
    }

    override fun close() {
        process.destroyForcibly().waitFor()
    }
}
