package dev.epoll.examples

import dev.epoll.examples.HttpStatus.*
import java.nio.ByteBuffer

/** The longest head of a request, in bytes. */
const val MAX_HEAD = 8 * 1024

/** The longest body of a request, in bytes. */
const val MAX_BODY = 1024 * 1024L

/** A request that ends the connection, for where the next one begins is not known. */
class RefusedRequest(val status: HttpStatus) : Exception(status.name, null, false, false)

/**
 * The head of the request at the position of [bytes], read where it lies (RFC 9112). One object serves for one request
 * after the other.
 */
class HttpRequest(private val bytes: ByteBuffer) {
    var isHead = false
        private set

    /** What to answer because of the method; null if it is GET or HEAD. */
    var refusal: HttpStatus? = null
        private set

    var isHttp10 = false
        private set

    /** Whether the connection goes on after the answer. */
    var isPersistent = false
        private set

    /** Bytes of the body, which follows the head; null if the client said nothing of it. */
    var bodyLength: Long? = null
        private set

    /** Whether the client waits to be told that it may send the body. */
    var expectsContinue = false
        private set

    private var pathStart = 0
    private var pathEnd = 0
    private var hosts = 0

    /** Reads a head and moves the position past it; returns false, and leaves the position, if it is not complete. */
    fun parse(): Boolean {
        isHead = false
        bodyLength = null
        expectsContinue = false
        hosts = 0
        var line = bytes.position()
        var end = endOfLine(line)
        while (end == line) { // empty lines in front of a request are to be ignored
            line += 2
            end = endOfLine(line)
        }
        if (end < 0) return incomplete(URI_TOO_LONG)
        requestLine(line, end)
        while (true) {
            line = end + 2
            end = endOfLine(line)
            if (end < 0) return incomplete(HEAD_TOO_LARGE)
            if (end == line) break
            header(line, end)
        }
        demand(hosts == 1 || isHttp10 && hosts == 0)
        bytes.position(end + 2)
        return true
    }

    /** Whether the path is [path]. */
    fun isFor(path: String) = isText(pathStart, pathEnd, path)

    /** The path as the client sent it, without the query. */
    fun path(): String = text(pathStart, pathEnd)

    private fun incomplete(ifFull: HttpStatus): Boolean {
        if (bytes.remaining() == bytes.capacity()) throw RefusedRequest(ifFull)
        return false
    }

    private fun requestLine(from: Int, to: Int) {
        val target = indexOf(' ', from, to) + 1
        val version = indexOf(' ', target, to) + 1
        demand(target < version && version < to)
        isHead = isText(from, target - 1, "HEAD")
        refusal =
            when {
                isHead || isText(from, target - 1, "GET") -> null
                text(from, target - 1) in OTHER_METHODS -> METHOD_NOT_ALLOWED
                else -> NOT_IMPLEMENTED
            }
        if (refusal == null) target(target, version - 1)
        isHttp10 = isText(version, to, "HTTP/1.0")
        isPersistent = isText(version, to, "HTTP/1.1")
        if (isHttp10 || isPersistent) return
        demand(HTTP_VERSION.matches(text(version, to)))
        throw RefusedRequest(VERSION_NOT_SUPPORTED)
    }

    private fun target(from: Int, to: Int) {
        // The absolute form is what a client sends that takes this for a proxy.
        val isAbsolute = to - from > 7 && isText(from, from + 7, "http://")
        pathStart = if (isAbsolute) indexOf('/', from + 7, to) else from
        demand(pathStart < to && bytes.get(pathStart) == '/'.code.toByte())
        pathEnd = indexOf('?', pathStart, to)
    }

    private fun header(line: Int, end: Int) {
        val colon = indexOf(':', line, end)
        // With a blank in the name it would be another header to others, such as a proxy in front.
        demand(line < colon && colon < end && indexOf(' ', line, colon) == colon && indexOf('\t', line, colon) == colon)
        when {
            isName(line, colon, "host") -> hosts++
            isName(line, colon, "connection") -> connection(value(colon, end).split(',').map { it.trim() })
            isName(line, colon, "content-length") -> bodyLength(value(colon, end))
            isName(line, colon, "transfer-encoding") -> throw RefusedRequest(LENGTH_REQUIRED)
            isName(line, colon, "expect") -> expectsContinue = value(colon, end) == "100-continue"
        }
    }

    private fun connection(options: List<String>) {
        if (isHttp10 && "keep-alive" in options) isPersistent = true
        if ("close" in options) isPersistent = false
    }

    private fun bodyLength(digits: String) {
        demand(bodyLength == null && digits.isNotEmpty() && digits.all { it in '0'..'9' })
        bodyLength = digits.toLongOrNull()?.takeIf { it <= MAX_BODY } ?: throw RefusedRequest(CONTENT_TOO_LARGE)
    }

    /** The index of the CRLF, or -1 if it has not come yet. */
    private fun endOfLine(from: Int): Int {
        for (i in from until bytes.limit()) {
            val byte = bytes.get(i)
            if (byte in 0..31 && byte != TAB) {
                if (byte == CR && i + 1 == bytes.limit()) return -1
                demand(byte == CR && bytes.get(i + 1) == LF)
                return i
            }
        }
        return -1
    }

    /** The index of [char], or [to] if there is none. */
    private fun indexOf(char: Char, from: Int, to: Int): Int {
        for (i in from until to) if (bytes.get(i) == char.code.toByte()) return i
        return to
    }

    /** Whether [name], in small letters, stands there in letters of any case. */
    private fun isName(from: Int, to: Int, name: String) = isText(from, to, name, 'a'.code xor 'A'.code)

    private fun isText(from: Int, to: Int, text: String, ignoredBit: Int = 0): Boolean {
        if (to - from != text.length) return false
        for (i in text.indices) if (bytes.get(from + i).toInt() or ignoredBit != text[i].code) return false
        return true
    }

    private fun value(colon: Int, end: Int) = text(colon + 1, end).trim().lowercase()

    private fun text(from: Int, to: Int) = ByteArray(to - from).also { bytes.get(from, it) }.toString(Charsets.UTF_8)

    private fun demand(isRight: Boolean) {
        if (!isRight) throw RefusedRequest(BAD_REQUEST)
    }

    private companion object {
        const val TAB = '\t'.code.toByte()
        const val CR = '\r'.code.toByte()
        const val LF = '\n'.code.toByte()
        val HTTP_VERSION = Regex("HTTP/[0-9]\\.[0-9]")
        val OTHER_METHODS = setOf("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT")
    }
}
