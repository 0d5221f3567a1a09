package dev.epoll.testing

import java.io.Closeable
import java.io.IOException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.SO_LINGER
import java.net.StandardSocketOptions.SO_RCVBUF
import java.net.StandardSocketOptions.SO_SNDBUF
import java.net.StandardSocketOptions.TCP_NODELAY
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.random.Random

/** The 50,000 connects and gigabytes that take minutes are for who asks for them: -Dhostile.long=true. */
val LONG: Boolean = System.getProperty("hostile.long").toBoolean()

/** A client that has nothing of this library, and means no good. Its calls block the thread. */
class Peer(address: InetSocketAddress, bufferSize: Int? = null) : Closeable {
    val channel: SocketChannel = SocketChannel.open()

    init {
        channel.setOption(TCP_NODELAY, true)
        bufferSize?.let { channel.setOption(SO_RCVBUF, it).setOption(SO_SNDBUF, it) }
        channel.connect(address)
    }

    fun send(bytes: ByteArray) {
        val buffer = ByteBuffer.wrap(bytes)
        while (buffer.hasRemaining()) channel.write(buffer)
    }

    fun send(text: String) = send(text.toByteArray())

    fun receive(count: Int): ByteArray {
        val buffer = ByteBuffer.allocate(count)
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) throw IOException("the end came after ${buffer.position()} of $count bytes")
        }
        return buffer.array()
    }

    /** Sends something, which is to come back. */
    fun echo(bytes: ByteArray = Random.nextBytes(100)) {
        send(bytes)
        check(receive(bytes.size).contentEquals(bytes)) { "other bytes came back" }
    }

    /** Sends [what] again and again, and never reads, until no more is taken; fails if that are over [most] bytes. */
    fun stuff(most: Long, what: ByteArray = ByteArray(1 shl 16)): Long {
        val chunk = ByteBuffer.wrap(what)
        var taken = 0L
        var refusals = 0
        channel.configureBlocking(false)
        while (refusals < 100) {
            val count = channel.write(chunk)
            taken += count
            check(taken <= most) { "$taken bytes were taken from one who reads none" }
            if (!chunk.hasRemaining()) chunk.clear()
            if (count > 0) refusals = 0 else refusals++.also { Thread.sleep(2) }
        }
        channel.configureBlocking(true)
        return taken
    }

    /** Sends chunks of [chunk] and reads what comes back, as fast as it goes, while [meanwhile] runs. */
    fun beLoud(chunk: ByteArray, meanwhile: (sent: () -> Long) -> Unit) {
        val sent = AtomicLong()
        val sender = thread { runCatching { while (true) send(chunk).also { sent.addAndGet(chunk.size.toLong()) } } }
        val reader = thread { runCatching { while (true) receive(chunk.size) } }
        try {
            meanwhile(sent::get)
        } finally {
            reset()
            sender.join()
            reader.join()
        }
    }

    /** Whether the other side has ended this connection, in whatever way; waits for that. */
    fun isSentAway(): Boolean =
        try {
            channel.read(ByteBuffer.allocate(1)) < 0
        } catch (_: IOException) {
            true
        }

    fun reset() {
        channel.setOption(SO_LINGER, 0)
        channel.close()
    }

    override fun close() = channel.close()

    companion object {
        /** The JDK keeps a descriptor for good from the first connection on that it closes. */
        fun warmUp() {
            ServerSocketChannel.open().use { server ->
                server.bind(InetSocketAddress("127.0.0.1", 0))
                Peer(server.localAddress as InetSocketAddress).reset()
            }
        }
    }
}

/** A process that makes [count] connections to [port], sends [text] on each, and never reads. */
fun connectedProcess(port: Int, count: Int, text: String): Process {
    val script =
        "for i in $(seq $count); do exec {fd}<>/dev/tcp/127.0.0.1/$port; printf '$text' >&\$fd; done; echo; exec sleep 1000"
    val process = ProcessBuilder("bash", "-c", script).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    check(process.inputStream.read() == '\n'.code) { "it did not connect" }
    return process
}
