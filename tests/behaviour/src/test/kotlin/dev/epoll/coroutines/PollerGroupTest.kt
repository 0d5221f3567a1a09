package dev.epoll.coroutines

import dev.epoll.Poller
import dev.epoll.PollerConfig
import dev.epoll.PollerGroup
import dev.epoll.SyscallException
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import dev.epoll.testing.FdLimit
import dev.epoll.testing.KernelFds
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.SO_REUSEPORT
import java.nio.ByteBuffer
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test

class PollerGroupTest {
    private val anyPort = InetSocketAddress(InetAddress.getLoopbackAddress(), 0)

    @Test
    fun `each poller has its turn, and a thread with a number`() {
        PollerGroup.open(3, PollerConfig.defaults().withThreadName("group")).use { group ->
            group.pollers().map { it.snapshot().name() } shouldContainExactly listOf("group-1", "group-2", "group-3")
            List(6) { group.next() } shouldContainExactly group.pollers() + group.pollers()
        }
    }

    @Test
    fun `there is one for each processor unless said otherwise`() {
        PollerGroup.open().use { it.pollers() shouldHaveSize Runtime.getRuntime().availableProcessors() }
    }

    @Test
    fun `an impossible number is refused by name`() {
        shouldThrow<IllegalArgumentException> { PollerGroup.open(0, PollerConfig.defaults()) }.message shouldContain
            "count is 0"
    }

    @Test
    fun `a group that cannot be opened whole leaves nothing behind`() {
        val before = KernelFds.openNow()
        FdLimit.whileRoomFor(5) {
            shouldThrow<SyscallException> { PollerGroup.open(4, PollerConfig.defaults()) }.errnoName() shouldBe "EMFILE"
        }
        KernelFds.assertNoneSince(before)
    }

    @Test
    fun `whoever closes it elsewhere returns when all have ended`() {
        val before = KernelFds.openNow()
        PollerGroup.open(3, PollerConfig.defaults()).close()
        KernelFds.assertNoneSince(before)
    }

    @Test
    fun `each of its pollers may close it, all at the same time`() {
        val before = KernelFds.openNow()
        val group = PollerGroup.open(3, PollerConfig.defaults())
        val inTask = CountDownLatch(3)
        val returned = CountDownLatch(3)
        group.pollers().forEach { poller ->
            poller.execute {
                inTask.countDown()
                inTask.await()
                group.close()
                returned.countDown()
            }
        }
        returned.await(30, TimeUnit.SECONDS) shouldBe true
        group.close()
        group.pollers().map { it.snapshot().state() } shouldContainExactly List(3) { Poller.State.CLOSED }
        KernelFds.assertNoneSince(before)
    }

    @Test
    fun `one listener hands connections round, and each stays with its poller`() =
        runBlocking<Unit> {
            PollerGroup.open(2, PollerConfig.defaults()).use { group ->
                TcpListener.bind(group.pollers()[0], anyPort).use { listener ->
                    coroutineScope {
                        val clients = List(4) { async { group.next().connect(listener.localAddress()) } }
                        val accepted = List(4) { listener.accept(group.next()) }
                        accepted.map { it.registration().poller() } shouldContainExactly
                            group.pollers() + group.pollers()
                        (accepted + clients.awaitAll()).forEach { it.close() }
                    }
                }
            }
        }

    @Test
    fun `listeners of all pollers share a port`() =
        runBlocking<Unit> {
            PollerGroup.open(2, PollerConfig.defaults()).use { group ->
                val options = TcpOptions.none().with(SO_REUSEPORT, true)
                val first = TcpListener.bind(group.pollers()[0], anyPort, 128, options)
                val second = TcpListener.bind(group.pollers()[1], first.localAddress(), 128, options)
                coroutineScope {
                    val counts = IntArray(2)
                    val acceptors =
                        listOf(first, second).mapIndexed { index, listener ->
                            launch(group.pollers()[index].asCoroutineDispatcher()) {
                                listener.connections().collect { stream ->
                                    stream.use {
                                        it.registration().poller() shouldBe group.pollers()[index]
                                        counts[index]++
                                    }
                                }
                            }
                        }
                    // The end of the stream tells that the connection was accepted.
                    repeat(64) {
                        group.next().connect(first.localAddress()).use { client ->
                            client.awaitReadable()
                            client.tryRead(ByteBuffer.allocate(1)) shouldBe -1
                        }
                    }
                    first.close()
                    second.close()
                    acceptors.forEach { it.join() }
                    counts.sum() shouldBe 64
                    // By chance all could go to one of them: once in 2 to the power of 63.
                    counts.min() shouldBeInRange 1..32
                }
            }
        }
}
