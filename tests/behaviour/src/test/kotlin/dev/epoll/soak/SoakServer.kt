package dev.epoll.soak

import dev.epoll.coroutines.awaitReadable
import dev.epoll.coroutines.read
import dev.epoll.coroutines.writeFully
import dev.epoll.net.TcpStream
import java.io.EOFException
import java.net.StandardSocketOptions.SO_LINGER
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield

/** What a client asks for: one byte, and an int whose meaning depends on it. */
enum class Request {
    /** So many bytes follow, and are to come back. */
    ECHO,
    /** Wait for the next request so many milliseconds, then begin to wait again. */
    WAIT,
    CLOSE,
    RESET;

    fun with(number: Int): ByteBuffer = ByteBuffer.allocate(SIZE).put(ordinal.toByte()).putInt(number).flip()

    companion object {
        const val SIZE = 1 + Int.SIZE_BYTES
    }
}

/** Does what one client asks for, until that ends the connection. */
suspend fun serve(stream: TcpStream) {
    val buffer = ByteBuffer.allocate(1024)
    while (stream.fill(buffer.clear().limit(Request.SIZE))) {
        buffer.flip()
        val request = Request.entries[buffer.get().toInt()]
        val number = buffer.getInt()
        when (request) {
            Request.ECHO -> echo(stream, buffer, number)
            Request.WAIT -> withTimeoutOrNull(number.milliseconds) { stream.awaitReadable() }
            Request.CLOSE -> return
            Request.RESET -> {
                stream.setOption(SO_LINGER, 0)
                return
            }
        }
    }
}

private suspend fun echo(stream: TcpStream, buffer: ByteBuffer, count: Int) {
    var left = count
    while (left > 0) {
        if (stream.read(buffer.clear().limit(minOf(left, buffer.capacity()))) < 0) throw EOFException("in an echo")
        left -= buffer.flip().remaining()
        stream.writeFully(buffer)
        if (!stream.isDrained) yield()
    }
}

/** Reads until [buffer] is full; false if the stream ended before its first byte. */
private suspend fun TcpStream.fill(buffer: ByteBuffer): Boolean {
    while (buffer.hasRemaining()) {
        if (read(buffer) >= 0) continue
        if (buffer.position() == 0) return false
        throw EOFException("in a request")
    }
    return true
}
