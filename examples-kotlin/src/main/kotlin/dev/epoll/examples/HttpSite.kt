package dev.epoll.examples

import dev.epoll.SyscallException
import dev.epoll.fd.RegularFile
import java.io.IOException
import java.net.URLConnection
import java.net.URLDecoder
import java.nio.file.AccessDeniedException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.util.Locale
import kotlin.io.path.isDirectory

/** An answer that is always the same, but for the headers that [HttpExchange] adds. */
class HttpResponse(status: String, type: String, body: String, headers: String = "") {
    val body = body.toByteArray()
    val head = head(status, type, this.body.size.toLong(), headers)
}

/** Why a request is not answered as it was meant. */
enum class HttpStatus(code: Int, reason: String, headers: String = "") {
    BAD_REQUEST(400, "Bad Request"),
    FORBIDDEN(403, "Forbidden"),
    NOT_FOUND(404, "Not Found"),
    METHOD_NOT_ALLOWED(405, "Method Not Allowed", "Allow: GET, HEAD\r\n"),
    LENGTH_REQUIRED(411, "Length Required"),
    CONTENT_TOO_LARGE(413, "Content Too Large"),
    URI_TOO_LONG(414, "URI Too Long"),
    HEAD_TOO_LARGE(431, "Request Header Fields Too Large"),
    NOT_IMPLEMENTED(501, "Not Implemented"),
    UNAVAILABLE(503, "Service Unavailable"),
    VERSION_NOT_SUPPORTED(505, "HTTP Version Not Supported");

    val response = HttpResponse("$code $reason", "text/plain", "$code $reason\n", headers)
}

val PLAINTEXT = HttpResponse("200 OK", "text/plain", "Hello, World!")
val JSON = HttpResponse("200 OK", "application/json", """{"message":"Hello, World!"}""")
val CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".toByteArray()
val CLOSE = "Connection: close\r\n".toByteArray()
val KEEP_ALIVE = "Connection: keep-alive\r\n".toByteArray()

/** The first lines of an answer; [httpDate] is the last. */
fun head(status: String, type: String, length: Long, headers: String = ""): ByteArray =
    "HTTP/1.1 $status\r\nContent-Type: $type\r\nContent-Length: $length\r\n$headers".toByteArray()

private val DATE = DateTimeFormatter.ofPattern("'Date: 'EEE, dd MMM yyyy HH:mm:ss 'GMT\r\n\r\n'", Locale.US)

/** The Date header and the empty line that ends a head. */
fun httpDate(): ByteArray = DATE.format(OffsetDateTime.now(ZoneOffset.UTC)).toByteArray()

/** The files below [root], whose path is real: without symbolic links. Without a root there are none. */
class HttpSite(private val root: Path?) {
    /**
     * The file that [path] of a URL names; of a folder, its index.html.
     *
     * @throws IllegalArgumentException if [path] is badly encoded
     */
    fun locate(path: String): Path {
        val name = URLDecoder.decode(path.replace("+", "%2B"), Charsets.UTF_8).trimStart('/')
        val file = root?.resolve(name)?.normalize()
        if (file == null || !file.startsWith(root)) throw NoSuchFileException(path)
        return if (file.isDirectory()) file.resolve("index.html") else file
    }

    /** Opens a file, but none outside of the root, wherever symbolic links lead. */
    fun open(path: Path): RegularFile {
        val file = RegularFile.open(path)
        try {
            // Asked of the open file, for a path could lead elsewhere the next moment.
            file.lend { fd ->
                if (Files.readSymbolicLink(Path.of("/proc/self/fd/$fd")).startsWith(root)) 0
                else throw NoSuchFileException("$path")
            }
            return file
        } catch (e: IOException) {
            file.close()
            throw e
        }
    }

    companion object {
        fun contentType(file: Path): String =
            URLConnection.guessContentTypeFromName("${file.fileName}") ?: "application/octet-stream"

        fun status(e: IOException) =
            when (e) {
                is SyscallException -> HttpStatus.UNAVAILABLE // no descriptor is free
                is AccessDeniedException -> HttpStatus.FORBIDDEN
                else -> HttpStatus.NOT_FOUND
            }
    }
}
