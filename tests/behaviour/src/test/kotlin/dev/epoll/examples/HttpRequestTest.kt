package dev.epoll.examples

import dev.epoll.examples.HttpStatus.*
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer

private const val HOST = "Host: a\r\n"

class HttpRequestTest :
    FunSpec({
        test("a head is complete with its last byte, wherever it begins in the buffer") {
            val text = "GET /json?x=/plaintext HTTP/1.1\r\nHOST:a\r\nUser-Agent: ä\r\ncontent-length: 12\r\n\r\n"
            for (start in listOf(0, 5)) {
                val bytes = ByteBuffer.allocateDirect(MAX_HEAD)
                bytes.position(start).put(text.toByteArray()).flip()
                val end = bytes.limit()
                val request = HttpRequest(bytes)
                for (limit in start until end) {
                    bytes.limit(limit).position(start)
                    withClue("at $limit of $end") { request.parse() shouldBe false }
                    bytes.position() shouldBe start
                }
                bytes.limit(end)
                request.parse() shouldBe true
                bytes.hasRemaining() shouldBe false
                request.path() shouldBe "/json"
                request.isFor("/json") shouldBe true
                request.isFor("/jso") shouldBe false
                request.bodyLength shouldBe 12
                request.isHead shouldBe false
                request.isPersistent shouldBe true
            }
        }

        test("nothing of a request is left in the next") {
            val bytes =
                buffer(
                    "HEAD / HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\nGET /b HTTP/1.1\r\n$HOST\r\n"
                )
            val request = HttpRequest(bytes)
            request.parse() shouldBe true
            request
                .run { listOf(isHead, isHttp10, expectsContinue, !isPersistent, bodyLength == 0L) }
                .all { it } shouldBe true
            request.parse() shouldBe true
            request
                .run { listOf(isHead, isHttp10, expectsContinue, !isPersistent, bodyLength != null) }
                .any { it } shouldBe false
            request.path() shouldBe "/b"
        }

        for ((head, persistent) in
            listOf(
                "GET / HTTP/1.1\r\n$HOST" to true,
                "GET / HTTP/1.1\r\n${HOST}Connection: close\r\n" to false,
                "GET / HTTP/1.1\r\n${HOST}connection:Upgrade ,\tCLOSE\r\n" to false,
                "GET / HTTP/1.1\r\n${HOST}Connection: closed\r\n" to true,
                "GET / HTTP/1.0\r\n" to false,
                "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" to true,
                "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n" to false,
                "GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n" to true,
            )) {
            test("the connection ${if (persistent) "goes on" else "ends"} after ${head.lines()}") {
                val request = HttpRequest(buffer("$head\r\n"))
                request.parse() shouldBe true
                request.isPersistent shouldBe persistent
            }
        }

        test("the absolute form of a target names the same path") {
            val request = HttpRequest(buffer("GET http://a:80/json?q HTTP/1.1\r\n$HOST\r\n"))
            request.parse() shouldBe true
            request.path() shouldBe "/json"
        }

        for ((method, refusal) in
            listOf(
                "GET" to null,
                "HEAD" to null,
                "POST" to METHOD_NOT_ALLOWED,
                "OPTIONS" to METHOD_NOT_ALLOWED,
                "get" to NOT_IMPLEMENTED,
                "BREW" to NOT_IMPLEMENTED,
            )) {
            test("the method $method is answered with ${refusal ?: "what is asked for"}") {
                val request = HttpRequest(buffer("$method / HTTP/1.1\r\n$HOST\r\n"))
                request.parse() shouldBe true
                request.refusal shouldBe refusal
            }
        }

        for ((head, status) in
            listOf(
                "\u0016\u0003\u0001" to BAD_REQUEST,
                "GET\r\n" to BAD_REQUEST,
                "GET /\r\n" to BAD_REQUEST,
                "GET  HTTP/1.1\r\n" to BAD_REQUEST,
                " GET / HTTP/1.1\r\n" to BAD_REQUEST,
                "GET /a b HTTP/1.1\r\n" to BAD_REQUEST,
                "GET a HTTP/1.1\r\n" to BAD_REQUEST,
                "GET http://a HTTP/1.1\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\r\n" to BAD_REQUEST,
                "GET / HTTP/x.1\r\n" to BAD_REQUEST,
                "GET / FTP/1.1\r\n" to BAD_REQUEST,
                "GET / HTTP/2.0\r\n" to VERSION_NOT_SUPPORTED,
                "GET / HTTP/1.1\r\n\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\n$HOST$HOST\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\n${HOST}no colon\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\n${HOST}: no name\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\n${HOST}X : blank\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\n$HOST folded: line\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\n${HOST}X: \u0000\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\nContent-Length: -1\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\nContent-Length: +1\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\nContent-Length:\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" to BAD_REQUEST,
                "GET / HTTP/1.1\r\nContent-Length: ${MAX_BODY + 1}\r\n" to CONTENT_TOO_LARGE,
                "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n" to CONTENT_TOO_LARGE,
                "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" to LENGTH_REQUIRED,
                "GET /" + "x".repeat(MAX_HEAD - 5) to URI_TOO_LONG,
                "GET / HTTP/1.1\r\nX: " + "x".repeat(MAX_HEAD - 19) to HEAD_TOO_LARGE,
            )) {
            test("refused with $status: ${head.take(60).map { if (it < ' ') '.' else it }.joinToString("")}") {
                val request = HttpRequest(buffer(head))
                shouldThrow<RefusedRequest> { if (!request.parse()) throw AssertionError("it waits for more") }
                    .status shouldBe status
            }
        }
    })

private fun buffer(text: String): ByteBuffer =
    ByteBuffer.allocateDirect(MAX_HEAD).put(text.toByteArray(Charsets.ISO_8859_1)).flip()
