package dev.epoll.coroutines

import dev.epoll.fd.Pipe
import dev.epoll.fd.RawFd
import dev.epoll.fd.RegularFile
import dev.epoll.net.ReceivedFds
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import dev.epoll.net.UnixAddress
import dev.epoll.net.UnixListener
import dev.epoll.net.UnixStream
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import java.net.ConnectException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.deleteIfExists
import kotlin.random.Random
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList

class StreamsTest :
    FunSpec({
        test("of several addresses the first that takes the connection has it") {
            withPoller {
                val listener = keep(TcpListener.bind(poller, anyPort()))
                val nobody = TcpListener.bind(poller, anyPort()).use { it.localAddress() }
                keep(poller.connect(listOf(nobody, listener.localAddress(), nobody))).remoteAddress() shouldBe
                    listener.localAddress()
                shouldThrow<ConnectException> { poller.connect(listOf(nobody, nobody)) }
                    .suppressed
                    .toList() shouldHaveSize 1
                shouldThrow<IllegalArgumentException> { poller.connect(emptyList<InetSocketAddress>()) }
            }
        }

        test("Unix listeners accept as TCP ones do (#391)") {
            withPoller {
                val listener = keep(UnixListener.bind(poller, UnixAddress.unnamed()))
                val first = waiting { listener.accept() }
                stillWait(first)
                keep(UnixStream.connect(poller, listener.localAddress()))
                keep(first.await())
                val two = async { listener.connections().take(2).toList() }
                repeat(2) { keep(UnixStream.connect(poller, listener.localAddress())) }
                two.await().forEach { keep(it) }
            }
        }

        test("a file larger than the connection takes at once arrives whole, and a part of it too") {
            withPoller {
                val bytes = Random(3).nextBytes(9_000_000)
                withFile(bytes) { file ->
                    val (client, server) = connection()
                    val reader = async { readAll(server) }
                    client.sendFile(file) shouldBe bytes.size
                    client.sendFile(file, position = 8_999_990, count = 100) shouldBe 10
                    client.sendFile(file, position = 9_000_005) shouldBe 0
                    client.shutdownOutput()
                    reader.await() shouldBe bytes + bytes.copyOfRange(8_999_990, 9_000_000)
                }
            }
        }

        test("sending a file can be cancelled, and ends when the stream is closed") {
            withPoller {
                withFile(ByteArray(20_000_000)) { file ->
                    val (client, _) = connection()
                    val cancelled = waiting { client.sendFile(file) }
                    stillWait(cancelled)
                    cancelled.cancelAndJoin()
                    shouldThrow<CancellationException> { cancelled.await() }
                    val closed = waiting { runCatching { client.sendFile(file) }.exceptionOrNull() }
                    stillWait(closed)
                    client.close()
                    (closed.await() is ClosedChannelException) shouldBe true
                }
            }
        }

        test("an urgent byte is waited for") {
            withPoller {
                val (client, server) = connection()
                val urgent = waiting { server.readUrgent() }
                client.writeFully(ByteBuffer.allocate(10))
                stillWait(urgent)
                client.writeUrgent(42)
                urgent.await() shouldBe 42
                server.read(ByteBuffer.allocate(100)) shouldBe 10
            }
        }

        test("an urgent byte that comes among the others is not waited for") {
            withPoller {
                val (client, server) = connection()
                server.setOption(TcpStream.SO_OOBINLINE, true)
                client.writeUrgent(42)
                shouldThrow<IllegalStateException> { server.readUrgent() }
                server.read(ByteBuffer.allocate(100)) shouldBe 1
            }
        }

        test("descriptors are passed, and waited for") {
            withPoller {
                val pair = UnixStream.pair(poller).let { keep(it.first()) to keep(it.second()) }
                val pipe = Pipe.open(poller)
                keep(pipe.source())
                keep(pipe.sink())
                ReceivedFds(1).use { fds ->
                    val reader = waiting { pair.second.readWithFds(ByteBuffer.allocate(10), fds) }
                    stillWait(reader)
                    pair.first.writeWithFds(ByteBuffer.allocate(1), pipe.sink().fd()) shouldBe 1
                    reader.await() shouldBe 1
                    RawFd.own(poller, fds.take()).use { it.writeFully(ByteBuffer.allocate(7)) }
                }
                pipe.source().read(ByteBuffer.allocate(10)) shouldBe 7
            }
        }
    })

private fun anyPort() = InetSocketAddress(InetAddress.getLoopbackAddress(), 0)

private suspend fun PollerScope.connection(): Pair<TcpStream, TcpStream> {
    val listener = keep(TcpListener.bind(poller, anyPort()))
    return keep(poller.connect(listener.localAddress())) to keep(listener.accept())
}

private suspend fun withFile(bytes: ByteArray, body: suspend (RegularFile) -> Unit) {
    val path: Path = Files.createTempFile("sent", "")
    try {
        Files.write(path, bytes)
        RegularFile.open(path).use { body(it) }
    } finally {
        path.deleteIfExists()
    }
}

private suspend fun readAll(stream: TcpStream): ByteArray {
    val buffer = ByteBuffer.allocate(20_000_000)
    while (stream.read(buffer) >= 0) check(buffer.hasRemaining())
    return buffer.array().copyOf(buffer.position())
}
