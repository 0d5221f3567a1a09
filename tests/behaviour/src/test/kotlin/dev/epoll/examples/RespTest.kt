package dev.epoll.examples

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import kotlin.random.Random

class RespTest :
    FunSpec({
        test("however the bytes are split, the commands are the same") {
            repeat(300) {
                val seed = Random.nextLong()
                val random = Random(seed)
                val commands = List(random.nextInt(1, 30)) { randomCommand(random) }
                val bytes = ByteArrayOutputStream()
                for (command in commands) bytes.write(
                    if (random.nextBoolean()) array(command) else inline(command, random)
                )
                withClue("seed $seed") {
                    parse(bytes.toByteArray(), random.nextInt(1, 100), random).map { words ->
                        words.map { it.toList() }
                    } shouldBe commands.map { words -> words.map { it.toList() } }
                }
            }
        }

        test("the buffer grows to what a command needs, and is small again after it") {
            val value = Random(1).nextBytes(1_000_000)
            val parser = RespParser()
            var input = ByteBuffer.allocate(RESP_BUFFER)
            val source =
                ByteBuffer.wrap(array(listOf("SET".toByteArray(), value)) + array(listOf("PING".toByteArray())))
            val commands = mutableListOf<List<ByteArray>>()
            var largest = 0
            while (source.hasRemaining()) {
                val count = minOf(source.remaining(), input.remaining(), 10_000)
                input.put(source.slice(source.position(), count)).flip()
                source.position(source.position() + count)
                while (true) commands += parser.next(input) ?: break
                input = input.withRoom()
                largest = maxOf(largest, input.capacity())
            }
            commands.map { it.size } shouldBe listOf(2, 1)
            commands[0][1].contentEquals(value) shouldBe true
            largest shouldBeLessThanOrEqual 2 * value.size + RESP_BUFFER
            input.capacity() shouldBe RESP_BUFFER
        }

        test("a number is what Redis writes, and nothing else") {
            for (number in listOf(0, 7, -1, 10, 1234567890123, Long.MAX_VALUE, Long.MIN_VALUE)) {
                decimal(ByteBuffer.wrap("$number".toByteArray())) shouldBe number
            }
            for (text in
                listOf("", "-", "-0", "+1", "01", "-01", " 1", "1 ", "1x", "x", "1.0", "9223372036854775808")) {
                withClue("'$text'") { decimal(ByteBuffer.wrap(text.toByteArray())) shouldBe null }
            }
            decimal(ByteBuffer.wrap("-9223372036854775809".toByteArray())) shouldBe null
            decimal(ByteBuffer.wrap("99999999999999999999".toByteArray())) shouldBe null
            decimal(ByteBuffer.wrap("x42y".toByteArray()), 1, 3) shouldBe 42
        }

        test("quotes and escapes of an inline command are those of Redis") {
            words("""a "b c" 'd e' "" f"gh"""") shouldBe listOf("a", "b c", "d e", "", "fgh")
            words(""""\x41\x4g\n\r\t\b\a\q\"\\"""") shouldBe listOf("A" + "x4g\n\r\t\b\u0007q\"\\")
            words("""'a\'b\n"c'""") shouldBe listOf("""a'b\n"c""")
            words("\t \u000b one\r") shouldBe listOf("one")
            for (line in listOf("\"a", "'a", "\"a\"b", "'a'b", "\"a\\", "a\"")) {
                withClue(line) { shouldThrow<RespException> { words(line) } }
            }
        }
    })

private fun randomCommand(random: Random): List<ByteArray> =
    List(random.nextInt(1, 6)) {
        random.nextBytes(if (random.nextInt(10) == 0) random.nextInt(3000) else random.nextInt(9))
    }

private fun array(words: List<ByteArray>): ByteArray {
    val bytes = ByteArrayOutputStream()
    bytes.write("*${words.size}\r\n".toByteArray())
    for (word in words) {
        bytes.write("$${word.size}\r\n".toByteArray())
        bytes.write(word)
        bytes.write("\r\n".toByteArray())
    }
    return bytes.toByteArray()
}

/** The same with each byte escaped or not, and empty lines before it. */
private fun inline(words: List<ByteArray>, random: Random): ByteArray {
    val line = words.joinToString(" ") { word -> word.joinToString("", "\"", "\"") { "\\x%02x".format(it) } }
    return ("\r\n".repeat(random.nextInt(3)) + line + if (random.nextBoolean()) "\r\n" else "\n").toByteArray()
}

private fun words(line: String): List<String> =
    RespParser().next(ByteBuffer.wrap("$line\n".toByteArray()))!!.map { it.decodeToString() }

/** The commands of [bytes], which arrive in pieces of up to [most] bytes. */
private fun parse(bytes: ByteArray, most: Int, random: Random): List<List<ByteArray>> = buildList {
    val parser = RespParser()
    var input = ByteBuffer.allocate(random.nextInt(1, 100))
    var sent = 0
    while (sent < bytes.size) {
        val count = minOf(random.nextInt(1, most + 1), input.remaining(), bytes.size - sent)
        input.put(bytes, sent, count).flip()
        sent += count
        while (true) add(parser.next(input) ?: break)
        input = input.withRoom()
    }
    input.position() shouldBe 0
}
