package dev.epoll.examples

import dev.epoll.coroutines.writeFully
import dev.epoll.fd.ByteSink
import java.io.IOException
import java.nio.ByteBuffer

// The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/

/** What a connection's buffers hold at rest, in bytes; they grow while there is more. */
const val RESP_BUFFER: Int = 16 * 1024

private const val MAX_LINE = 64 * 1024
private const val MAX_REPLIES = 1 shl 30
private const val UNKNOWN = -1
private const val CR = '\r'.code.toByte()
private const val LF = '\n'.code.toByte()

/** What came is not RESP, so nobody knows where the next command would begin. */
class RespException(message: String) : Exception("Protocol error: $message")

/**
 * Finds commands in what a connection sends. What has yet to arrive costs no memory, whatever its length is said to be.
 */
class RespParser {
    private var words = ArrayList<ByteArray>()
    private var wordsToCome = 0
    private var nextLength = UNKNOWN

    /**
     * Takes a command off [input], the bytes that have arrived: its name and its arguments.
     *
     * @return null if the command is not complete; then what is left of [input] belongs before what comes next
     */
    fun next(input: ByteBuffer): List<ByteArray>? {
        while (wordsToCome == 0) {
            if (!input.hasRemaining()) return null
            if (input.get(input.position()) == '*'.code.toByte()) {
                wordsToCome = header(input, Header.COUNT)?.coerceAtLeast(0)?.toInt() ?: return null
            } else {
                val typed = TypedLine(line(input) ?: return null).words()
                if (typed.isNotEmpty()) return typed
            }
        }
        while (wordsToCome > 0) {
            if (nextLength == UNKNOWN) nextLength = header(input, Header.LENGTH)?.toInt() ?: return null
            if (input.remaining() < nextLength + 2) return null
            words.add(ByteArray(nextLength).also { input.get(it) })
            input.position(input.position() + 2)
            nextLength = UNKNOWN
            wordsToCome--
        }
        return words.also { words = ArrayList() }
    }

    private enum class Header(val type: Char, val range: LongRange, val line: String, val number: String) {
        COUNT('*', Long.MIN_VALUE..1024 * 1024, "mbulk count string", "multibulk length"),
        LENGTH('$', 0L..512 * 1024 * 1024, "bulk count string", "bulk length"),
    }

    private fun header(input: ByteBuffer, header: Header): Long? {
        val start = input.position()
        val end = find(CR, input, header.line)
        if (end == UNKNOWN || end + 1 == input.limit()) return null
        val type = Char(input.get(start).toUByte().toInt())
        if (type != header.type) throw RespException("expected '${header.type}', got '$type'")
        val number = decimal(input, start + 1, end)
        if (number == null || number !in header.range) throw RespException("invalid ${header.number}")
        input.position(end + 2)
        return number
    }

    private fun line(input: ByteBuffer): String? {
        val end = find(LF, input, "inline request")
        if (end == UNKNOWN) return null
        val line = ByteArray(end - input.position()).also { input.get(it) }
        input.position(end + 1)
        return line.text()
    }

    private fun find(byte: Byte, input: ByteBuffer, what: String): Int {
        for (i in input.position() until input.limit()) if (input.get(i) == byte) return i
        if (input.remaining() > MAX_LINE) throw RespException("too big $what")
        return UNKNOWN
    }
}

/**
 * What is left of this buffer, with room for more, to read into: in a buffer twice as large if it was full, in a small
 * one if that will do.
 */
fun ByteBuffer.withRoom(): ByteBuffer =
    when {
        remaining() == capacity() -> ByteBuffer.allocate(2 * capacity()).put(this)
        remaining() <= RESP_BUFFER / 2 && capacity() > RESP_BUFFER -> ByteBuffer.allocate(RESP_BUFFER).put(this)
        // Not by compact, which would move what has arrived of a large value onto itself, after each read.
        position() == 0 -> position(limit()).limit(capacity())
        else -> compact()
    }

/** The number that is written there, if it is written the one way that Redis does: no `+1`, no `01`, no spaces. */
fun decimal(bytes: ByteBuffer, from: Int = 0, to: Int = bytes.limit()): Long? {
    val negative = from < to && bytes.get(from) == '-'.code.toByte()
    val first = if (negative) from + 1 else from
    if (first == to) return null
    if (bytes.get(first) == '0'.code.toByte()) return if (to - from == 1) 0 else null
    var value = 0L // below zero all the way, as there is one more number below than above
    for (i in first until to) {
        val digit = bytes.get(i) - '0'.code
        if (digit !in 0..9 || value < (Long.MIN_VALUE + digit) / 10) return null
        value = value * 10 - digit
    }
    return if (negative) value else if (value == Long.MIN_VALUE) null else -value
}

/** One character a byte, so that nothing is lost. */
fun ByteArray.text(): String = String(this, Charsets.ISO_8859_1)

/** A command that somebody typed, with `"quotes\n"` and `'quotes'` as Redis has them. */
private class TypedLine(private val line: String) {
    private var next = 0

    fun words(): List<ByteArray> = buildList {
        while (true) {
            while (next < line.length && line[next] in SPACES) next++
            if (next == line.length) break
            add(word().toByteArray(Charsets.ISO_8859_1))
        }
    }

    private fun word() = buildString {
        var quote: Char? = null
        while (next < line.length) {
            val char = line[next++]
            when {
                quote == null && char in SPACES -> break
                quote == null && char in "\"'" -> quote = char
                char == quote && (next == line.length || line[next] in SPACES) -> quote = null
                char == quote -> break
                char == '\\' && quote == '"' && next < line.length -> append(escaped())
                char == '\\' && quote == '\'' && line.startsWith("'", next) -> append(line[next++])
                else -> append(char)
            }
        }
        if (quote != null) throw RespException("unbalanced quotes in request")
    }

    private fun escaped(): Char {
        val char = line[next++]
        if (char == 'x' && HEX.matchesAt(line, next)) {
            next += 2
            return Char(line.substring(next - 2, next).toInt(radix = 16))
        }
        val letter = "nrtba".indexOf(char)
        return if (letter < 0) char else "\n\r\t\b\u0007"[letter]
    }

    private companion object {
        const val SPACES = " \t\n\u000b\u000c\r"
        val HEX = Regex("[0-9a-fA-F]{2}")
    }
}

/** Collects replies, so that those to many commands go out at once. */
class RespWriter {
    private var buffer = ByteBuffer.allocate(RESP_BUFFER)

    /** How many bytes wait to be written. */
    val size: Int
        get() = buffer.position()

    fun simple(text: String) = line('+', text)

    fun error(text: String) = line('-', text.replace('\r', ' ').replace('\n', ' '))

    fun integer(value: Long) = line(':', value.toString())

    fun array(count: Int) = line('*', count.toString())

    fun bulk(value: ByteArray?) {
        line('$', (value?.size ?: -1).toString())
        if (value != null) room(value.size + 2).put(value).put(CR).put(LF)
    }

    private fun line(type: Char, text: String) {
        room(text.length + 3).put(type.code.toByte()).put(text.toByteArray(Charsets.ISO_8859_1)).put(CR).put(LF)
    }

    /** Writes what was collected, and waits until it is written. */
    suspend fun writeTo(sink: ByteSink) {
        sink.writeFully(buffer.flip())
        buffer = if (buffer.capacity() > 4 * RESP_BUFFER) ByteBuffer.allocate(RESP_BUFFER) else buffer.clear()
    }

    private fun room(count: Int): ByteBuffer {
        if (buffer.remaining() < count) {
            val needed = size.toLong() + count
            if (needed > MAX_REPLIES) throw IOException("the reply to one command is larger than $MAX_REPLIES bytes")
            val capacity = needed.coerceAtLeast(2L * buffer.capacity()).coerceAtMost(MAX_REPLIES.toLong())
            buffer = ByteBuffer.allocate(capacity.toInt()).put(buffer.flip())
        }
        return buffer
    }
}
