package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.SyscallException
import dev.epoll.net.ListenerSocket
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import dev.epoll.testing.CapturedLog
import dev.epoll.testing.FdLimit
import dev.epoll.testing.PollerScope
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

class ConnectionsFlowTest :
    FunSpec({
        test("the flow gives the connections in the order of their coming, and ends when the listener is closed") {
            withPoller {
                val listener = listener()
                val clients = List(20) { keep(poller.connect(listener.localAddress())) }
                val accepted = CopyOnWriteArrayList<TcpStream>()
                val collector = launch { listener.connections().collect { accepted += keep(it) } }
                until("all are accepted") { accepted.size == 20 }
                listener.close()
                collector.join()
                collector.isCancelled shouldBe false
                accepted.map { it.remoteAddress() } shouldBe clients.map { it.localAddress() }
                listener.connections().count() shouldBe 0
            }
        }

        test("first leaves the connection open, and the listener too") {
            withPoller {
                val listener = listener()
                repeat(2) {
                    val client = keep(poller.connect(listener.localAddress()))
                    val server = keep(listener.connections().first())
                    server.isOpen shouldBe true
                    client.writeFully(ByteBuffer.wrap(byteArrayOf(1)))
                    server.read(ByteBuffer.allocate(1)) shouldBe 1
                }
                repeat(3) { keep(poller.connect(listener.localAddress())) }
                listener.connections().take(3).map { keep(it).isOpen }.toList() shouldBe List(3) { true }
            }
        }

        test("a cancelled collector ends with the cancellation, and the connections that come next wait") {
            withPoller {
                val listener = listener()
                val collector = waiting { listener.connections().collect { it.close() } }
                collector.cancelAndJoin()
                shouldThrow<CancellationException> { collector.await() }
                val client = keep(poller.connect(listener.localAddress()))
                keep(listener.accept()).remoteAddress() shouldBe client.localAddress()
            }
        }

        test("a connection that was accepted for a collector which is cancelled is closed") {
            withPoller {
                val listener = listener()
                val clients = List(2) { keep(poller.connect(listener.localAddress())) }
                val collector = waiting {
                    listener.connections().collect {
                        it.close()
                        cancel()
                    }
                }
                collector.join()
                // Either it still waits in the listener, or it was closed.
                listener.close()
                runCatching { clients[1].read(ByteBuffer.allocate(1)) }.getOrDefault(-1) shouldBe -1
            }
        }

        test("a connection that the collector has got is the collector's: cancelling does not close it") {
            withPoller {
                val listener = listener()
                keep(poller.connect(listener.localAddress()))
                val got = CopyOnWriteArrayList<TcpStream>()
                val collector = waiting {
                    listener.connections().collect {
                        got += keep(it)
                        awaitCancellation()
                    }
                }
                until("it is accepted") { got.size == 1 }
                collector.cancelAndJoin()
                got.single().isOpen shouldBe true
            }
        }

        test("what the collector throws goes through, and its connection stays the collector's") {
            withPoller {
                val listener = listener()
                keep(poller.connect(listener.localAddress()))
                var got: TcpStream? = null
                shouldThrow<IllegalStateException> {
                    listener.connections().collect {
                        got = keep(it)
                        error("on purpose")
                    }
                }
                got?.isOpen shouldBe true
            }
        }

        test("an exception of the collector that says a channel is closed does not end the flow quietly") {
            withPoller {
                val listener = listener()
                keep(poller.connect(listener.localAddress()))
                shouldThrow<ClosedChannelException> {
                    listener.connections().collect {
                        it.close()
                        throw ClosedChannelException()
                    }
                }
            }
        }

        test("while no descriptor is free the flow waits, says so once, and goes on") {
            withPoller {
                val listener = listener()
                val client = keep(poller.connect(listener.localAddress()))
                loadClassesBefore()
                CapturedLog.of(ListenerSocket::class.java).use { log ->
                    log.throwAtEach() // which is nobody's business here
                    // Made before, as loading their classes takes a descriptor.
                    val resumes = Resumes()
                    val accept: suspend CoroutineScope.() -> TcpStream = { listener.connections().first() }
                    val hasSaidSo = { log.thrown().isNotEmpty() }
                    val start = TimeSource.Monotonic.markNow()
                    val accepted =
                        FdLimit.roomFor(0).use {
                            async(resumes, CoroutineStart.UNDISPATCHED, accept).also {
                                until("it has said so", hasSaidSo)
                                delay(350.milliseconds) // it tries again and again
                            }
                        }
                    keep(accepted.await()).remoteAddress() shouldBe client.localAddress()
                    resumes.count.get().toLong() shouldBeLessThan start.elapsedNow().inWholeMilliseconds / 100 + 10
                    log.thrown().map { (it as SyscallException).errnoName() } shouldBe listOf("EMFILE")
                }
            }
        }

        test("connections that are all there already leave others on the thread their turn") {
            withPoller {
                val listener = listener()
                repeat(100) { keep(poller.connect(listener.localAddress())) }
                val accepted = AtomicInteger()
                withContext(poller.asCoroutineDispatcher()) {
                    val collector = launch {
                        listener.connections().collect {
                            it.close()
                            accepted.incrementAndGet()
                        }
                    }
                    val sawOthers = async { accepted.get() }
                    sawOthers.await() shouldBeLessThan 20
                    until("all are accepted") { accepted.get() == 100 }
                    collector.cancelAndJoin()
                }
            }
        }

        test("closing the poller fails the flow with ClosedPollerException") {
            withPoller {
                val listener = listener()
                val collector = waiting { runCatching { listener.connections().collect {} } }
                poller.close()
                (collector.await().exceptionOrNull() is ClosedPollerException) shouldBe true
                listener.close()
            }
        }
    })

/** Dispatches as Dispatchers.Default does, and counts. */
private class Resumes : CoroutineDispatcher() {
    val count = AtomicInteger()

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        count.incrementAndGet()
        Dispatchers.Default.dispatch(context, block)
    }
}

private fun PollerScope.listener(): TcpListener = keep(TcpListener.bind(poller, InetSocketAddress("127.0.0.1", 0)))

/** Loading a class takes a descriptor, so what will be used while there is none is used before. */
private suspend fun PollerScope.loadClassesBefore() {
    shouldThrow<SyscallException> { poller.awaitReadable(-1) }
    FdLimit.roomFor(0).close()
}
