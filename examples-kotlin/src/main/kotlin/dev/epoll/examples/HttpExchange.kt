package dev.epoll.examples

import dev.epoll.coroutines.sendFile
import dev.epoll.coroutines.writeFully
import java.io.EOFException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlinx.coroutines.yield

/** What a connection needs while it has a request. */
class HttpBuffers {
    /** What was read and is not answered, from the position to the limit. */
    val input: ByteBuffer = ByteBuffer.allocateDirect(MAX_HEAD).limit(0)

    /** Answers that were not sent, up to the position. */
    val output: ByteBuffer = ByteBuffer.allocateDirect(16 * 1024)

    val request = HttpRequest(input)

    fun clear() = apply {
        input.clear().limit(0)
        output.clear()
    }
}

/** Requests that came together, from the first byte of the first until all are answered, in one write if they fit. */
class HttpExchange(private val connection: HttpConnection, buffers: HttpBuffers) {
    private val stream = connection.stream
    private val server = connection.server
    private val input = buffers.input
    private val output = buffers.output
    private val request = buffers.request
    private var goesOn = true

    /** Returns whether more requests may follow. */
    suspend fun run(): Boolean {
        while (read()) {
            try {
                while (goesOn && input.hasRemaining() && request.parse()) answer()
            } catch (e: RefusedRequest) {
                goesOn = false
                put(e.status.response)
            }
            flush()
            if (!goesOn) return linger()
            if (!input.hasRemaining()) return true
            connection.awaitReadable()
        }
        return false
    }

    /** Reads what is there behind what is left. Returns false at the end of the stream. */
    private fun read(): Boolean {
        input.compact()
        val count = stream.tryRead(input)
        input.flip()
        return count >= 0
    }

    private suspend fun answer() {
        goesOn = request.isPersistent
        val fixed =
            request.refusal?.response
                ?: when {
                    request.isFor("/plaintext") -> PLAINTEXT
                    request.isFor("/json") -> JSON
                    else -> null
                }
        val path = if (fixed == null) request.path() else "" // before the body takes its place
        discardBody()
        if (fixed != null) put(fixed) else putFile(path)
    }

    private suspend fun discardBody() {
        var left = request.bodyLength ?: return
        var tell = request.expectsContinue
        while (left > input.remaining()) {
            left -= input.remaining()
            input.position(input.limit())
            flush()
            if (tell) output.put(CONTINUE)
            tell = false
            flush()
            connection.awaitReadable()
            if (!read()) throw EOFException("a body ended early")
        }
        input.position(input.position() + left.toInt())
    }

    private suspend fun put(response: HttpResponse) {
        if (output.remaining() < response.head.size + response.body.size + MAX_ADDED) flush()
        putHead(response.head)
        if (!request.isHead) output.put(response.body)
    }

    private fun putHead(head: ByteArray) {
        server.requests++
        output.put(head)
        if (!goesOn) output.put(CLOSE) else if (request.isHttp10) output.put(KEEP_ALIVE)
        output.put(server.date)
    }

    private suspend fun putFile(path: String) {
        val located: Path
        val file =
            try {
                located = server.site.locate(path)
                server.site.open(located)
            } catch (e: IOException) {
                return put(HttpSite.status(e).response)
            } catch (_: IllegalArgumentException) {
                return put(HttpStatus.BAD_REQUEST.response)
            }
        file.use {
            val size = it.size()
            flush()
            putHead(head("200 OK", HttpSite.contentType(located), size))
            flush()
            var sent = if (request.isHead) size else 0L
            while (sent < size) {
                val count = stream.sendFile(it, sent, minOf(FILE_PART, size - sent))
                if (count == 0L) throw EOFException("$path became shorter while it was sent")
                sent += count
                connection.isActive()
                yield() // a fast reader shares the thread with the others
            }
        }
    }

    private suspend fun flush() {
        if (output.position() == 0) return
        stream.writeFully(output.flip())
        output.clear()
        connection.isActive()
    }

    /**
     * Tells the end, and waits for the client's, until its idle time is over. Kernel: closing a connection that has
     * bytes unread resets it, and the client may lose the answer.
     */
    private suspend fun linger(): Boolean {
        stream.shutdownOutput()
        do {
            input.limit(0)
            connection.awaitReadable()
        } while (read())
        return false
    }
}

/** More than the headers that [HttpExchange] adds have bytes. */
private const val MAX_ADDED = 100

/** So much of a file is sent before others have their turn, and must be taken within the idle time. */
private const val FILE_PART = 256 * 1024L
