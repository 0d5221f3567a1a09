package dev.epoll.benchmarks.calls

import dev.epoll.Poller
import dev.epoll.coroutines.add
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.coroutines.awaitReadable
import dev.epoll.coroutines.read
import dev.epoll.coroutines.take
import dev.epoll.coroutines.writeFully
import dev.epoll.fd.EventFd
import dev.epoll.net.UnixStream
import java.nio.ByteBuffer
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** What [CoroutineCalls] measures, for it to call: JMH's own classes are in Java. */
class Suspending : AutoCloseable {
    private val poller = Poller.open()
    private val other = Poller.open()

    /** Always readable, for nobody takes what it holds. */
    private val ready = EventFd.counter(poller, 1)
    private val streams = UnixStream.pair(poller)
    private val ping = EventFd.counter(poller, 0)
    private val pong = EventFd.counter(other, 0)

    /** Awaits that suspend and are resumed, one after the other, on the poller thread. */
    fun awaits(count: Int) =
        suspending(count) {
            val registration = ready.registration()
            repeat(count) { registration.awaitReadable() }
        }

    /** Reads that each suspend, half of them in either of two coroutines that send each other a byte. */
    fun reads(count: Int) =
        suspending(count) {
            launch(start = UNDISPATCHED) { exchange(streams.first(), count / 2) }
            streams.second().writeFully(ByteBuffer.allocateDirect(1))
            exchange(streams.second(), count / 2 - 1)
            streams.second().read(ByteBuffer.allocateDirect(ROOM))
        }

    /** Runs [block] on the poller thread, and checks that it awaited as often as is assumed of it. */
    private fun suspending(count: Int, block: suspend CoroutineScope.() -> Unit) {
        val before = poller.stats().arms()
        runBlocking(poller.asCoroutineDispatcher(), block)
        val awaits = poller.stats().arms() - before
        check(awaits == count.toLong()) { "$awaits awaits instead of $count" }
    }

    private suspend fun exchange(stream: UnixStream, count: Int) {
        val buffer = ByteBuffer.allocateDirect(ROOM)
        repeat(count) {
            stream.read(buffer.clear())
            stream.writeFully(buffer.flip())
        }
    }

    /** Round trips between two poller threads: a coroutine on each wakes the other by an eventfd write. */
    fun roundTrips(count: Int) = runBlocking {
        coroutineScope {
            launch(poller.asCoroutineDispatcher()) {
                repeat(count) {
                    ping.take()
                    pong.add(1u)
                }
            }
            launch(other.asCoroutineDispatcher()) {
                repeat(count) {
                    ping.add(1u)
                    pong.take()
                }
            }
        }
    }

    override fun close() {
        poller.close()
        other.close()
    }

    private companion object {
        /** More than there is to read, as usual. */
        const val ROOM = 64
    }
}
