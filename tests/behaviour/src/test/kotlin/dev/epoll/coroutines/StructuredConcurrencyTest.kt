package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.ClosedRegistrationException
import dev.epoll.SyscallException
import dev.epoll.fd.EventFd
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import dev.epoll.testing.Fds
import dev.epoll.testing.PollerScope
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import java.net.InetSocketAddress
import java.net.SocketException
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withTimeoutOrNull

class StructuredConcurrencyTest :
    FunSpec({
        test("a child that fails cancels its siblings' awaits") {
            withPoller {
                val pipes = List(100) { fds.pipe() }
                val ended = AtomicInteger()
                shouldThrow<IllegalStateException> {
                    coroutineScope {
                        pipes.forEach { pipe ->
                            launch(start = CoroutineStart.UNDISPATCHED) {
                                try {
                                    poller.awaitReadable(pipe.a())
                                } catch (e: CancellationException) {
                                    ended.incrementAndGet()
                                    throw e
                                }
                            }
                        }
                        waiters() shouldBe 100
                        launch { error("on purpose") }
                    }
                }
                ended.get() shouldBe 100
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("the first to be ready wins, and the others are cancelled") {
            withPoller {
                val counters = List(10) { keep(EventFd.counter(poller, 0)) }
                counters[7].add(7u)
                val winner = raceOf(counters)
                winner shouldBe 7u
                waiters() shouldBe 0
            }
        }

        test("closing a registration ends 1,000 who wait for it (#338)") {
            withPoller {
                val pair = fds.socketpair()
                Fds.fill(pair.a())
                val registration = poller.register(pair.a())
                val waiting =
                    List(1_000) { i ->
                        waiting {
                            runCatching {
                                if (i % 2 == 0) registration.awaitReadable() else registration.awaitWritable()
                            }
                        }
                    }
                waiters() shouldBe 1_000
                registration.close()
                waiting.awaitAll().all { it.exceptionOrNull() is ClosedRegistrationException } shouldBe true
                shouldThrow<ClosedRegistrationException> { registration.awaitReadable() }
                registration.close()
            }
        }

        test("closing the poller ends 1,000 who wait on it, on every dispatcher (#343)") {
            withPoller {
                val pipes = List(100) { fds.pipe() }
                val dispatchers = dispatchers().values.toList()
                val told = AtomicInteger()
                val waiting =
                    List(1_000) { i ->
                        launch(dispatchers[i % dispatchers.size], start = CoroutineStart.UNDISPATCHED) {
                            try {
                                poller.awaitReadable(pipes[i % pipes.size].a())
                            } catch (e: ClosedPollerException) {
                                told.incrementAndGet()
                            }
                        }
                    }
                waiters() shouldBe 1_000
                poller.close()
                waiting.joinAll()
                told.get() shouldBe 1_000
            }
        }

        test("on a closed poller every await fails at once, and everything can still be closed (#344, #346)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val listener = listener()
                val client = keep(poller.connect(listener.localAddress()))
                poller.close()
                shouldThrow<ClosedPollerException> { registration.awaitReadable() }
                shouldThrow<ClosedPollerException> { poller.awaitReadable(pipe.a()) }
                shouldThrow<ClosedPollerException> { poller.connect(listener.localAddress()) }
                shouldThrow<ClosedPollerException> { client.read(ByteBuffer.allocate(1)) }
                registration.close()
                client.close()
                listener.close()
                client.isOpen shouldBe false
            }
        }

        test("closing and cancelling and events at once: everyone has one outcome") {
            withPoller {
                repeat(300) { round ->
                    val counter = EventFd.counter(poller, 0)
                    val outcomes = List(4) { async { runCatching { counter.take() }.exceptionOrNull() } }
                    val storm =
                        listOf(
                            launch { outcomes[round % 4].cancel() },
                            launch { runCatching { counter.add(1u) } },
                            launch { counter.close() },
                        )
                    outcomes.forEach { outcome ->
                        outcome.join()
                        val failure = runCatching { outcome.await() }.getOrNull()
                        withClue(failure) { (failure !is ClosedPollerException) shouldBe true }
                    }
                    storm.forEach { it.join() }
                }
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        @OptIn(DelicateCoroutinesApi::class)
        test("cancelling a server in the middle of its work leaves no connection open") {
            withPoller {
                repeat(5) {
                    val listener = listener()
                    val address = listener.localAddress()
                    val server = launch {
                        supervisorScope {
                            listener.connections().collect { stream ->
                                launch(start = CoroutineStart.ATOMIC) { stream.use { echo(it) } }
                            }
                        }
                    }
                    val clients =
                        List(20) {
                            launch { unlessReset { poller.connect(address).use { ask(it) } } }
                        }
                    clients.first().join()
                    server.cancelAndJoin()
                    listener.close()
                    clients.forEach { it.cancelAndJoin() }
                }
                until("only closed ones") { poller.snapshot().registrations().isEmpty() }
            }
        }

        test("a timeout around a whole conversation ends it, and its descriptors") {
            withPoller {
                val listener = listener()
                withTimeoutOrNull(50) {
                    poller.connect(listener.localAddress()).use { client ->
                        listener.accept().use { server ->
                            launch { echo(server) }
                            while (true) {
                                client.writeFully(ByteBuffer.wrap(byteArrayOf(1)))
                                client.read(ByteBuffer.allocate(1)) shouldBe 1
                                delay(1)
                            }
                        }
                    }
                } shouldBe null
                until("only the listener is left") {
                    poller.snapshot().registrations().map { it.fd() } == listOf(listener.fd())
                }
            }
        }

        test("an actor per descriptor serves in order") {
            withPoller {
                val pipe = fds.pipe()
                val seen = mutableListOf<Int>()
                val actor =
                    launch(poller.asCoroutineDispatcher()) {
                        repeat(100) {
                            poller.awaitReadable(pipe.a())
                            seen += Fds.drain(pipe.a())
                        }
                    }
                for (size in 1..100) {
                    Fds.write(pipe.b(), size)
                    until("it was read") { seen.size == size }
                }
                actor.join()
                seen shouldContainExactly (1..100).toList()
            }
        }
    })

private fun PollerScope.listener(): TcpListener = keep(TcpListener.bind(poller, InetSocketAddress("127.0.0.1", 0)))

private suspend fun raceOf(counters: List<EventFd>): ULong = coroutineScope {
    val first = CompletableDeferred<ULong>()
    val racers = counters.map { launch { first.complete(it.take()) } }
    first.await().also { racers.forEach { racer -> racer.cancel() } }
}

private suspend fun ask(client: TcpStream) {
    client.writeFully(ByteBuffer.wrap(byteArrayOf(1, 2, 3)))
    client.read(ByteBuffer.allocate(3))
}

private suspend fun echo(stream: TcpStream) = unlessReset {
    val buffer = ByteBuffer.allocate(1024)
    while (stream.read(buffer) >= 0) {
        stream.writeFully(buffer.flip())
        buffer.clear()
    }
}

private suspend fun unlessReset(conversation: suspend () -> Unit) {
    try {
        conversation()
    } catch (e: SocketException) {
        // the other end is gone
    } catch (e: SyscallException) {
        (e.errnoName() in listOf("ECONNRESET", "EPIPE")) shouldBe true
    }
}
