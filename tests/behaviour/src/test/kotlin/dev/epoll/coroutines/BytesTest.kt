package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.SyscallException
import dev.epoll.fd.EventFd
import dev.epoll.fd.Pipe
import dev.epoll.fd.RawFd
import dev.epoll.testing.Fds
import dev.epoll.testing.LibC
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import kotlin.random.Random
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

class BytesTest :
    FunSpec({
        test("a read returns what is there, waits when there is nothing, and ends with -1") {
            withPoller {
                val pipe = pipe()
                val buffer = ByteBuffer.allocate(10)
                pipe.sink().write(ByteBuffer.wrap(byteArrayOf(1, 2, 3))) shouldBe 3
                pipe.source().read(buffer) shouldBe 3
                val reader = waiting { pipe.source().read(buffer) }
                stillWait(reader)
                pipe.sink().write(ByteBuffer.wrap(byteArrayOf(4))) shouldBe 1
                reader.await() shouldBe 1
                pipe.sink().close()
                repeat(3) { pipe.source().read(buffer) shouldBe -1 }
                buffer.array().take(buffer.position()) shouldBe listOf<Byte>(1, 2, 3, 4)
            }
        }

        test("a buffer without room moves nothing and does not wait") {
            withPoller {
                val pipe = pipe()
                val none = ByteBuffer.allocate(0)
                pipe.source().read(none) shouldBe 0
                pipe.sink().write(none) shouldBe 0
                pipe.sink().writeFully(none)
                poller.stats().arms() shouldBe 0
            }
        }

        test("bytes arrive in order on every dispatcher, from heap and direct buffers") {
            withPoller {
                val bytes = Random(1).nextBytes(1 shl 20)
                for ((name, dispatcher) in dispatchers()) {
                    for (direct in listOf(false, true)) {
                        withClue("$name, direct: $direct") {
                            val pipe = pipe()
                            val writer =
                                launch(dispatcher) {
                                    pipe.sink().writeFully(buffer(direct, bytes.size).put(bytes).flip())
                                    pipe.sink().close()
                                }
                            val read = withContext(dispatcher) { pipe.readAll(buffer(direct, 10_000), bytes.size) }
                            writer.join()
                            read.contentEquals(bytes) shouldBe true
                        }
                    }
                }
            }
        }

        test("a cancelled write tells by the position what was written, and no byte is lost") {
            withPoller {
                val pipe = pipe()
                val source = ByteBuffer.wrap(Random(2).nextBytes(1 shl 20))
                val writer = waiting { pipe.sink().writeFully(source) }
                writer.cancelAndJoin()
                val written = source.position()
                val target = ByteBuffer.allocate(1 shl 20)
                while (target.position() < written) pipe.source().read(target)
                withTimeoutOrNull(20) { pipe.source().read(target) } shouldBe null
                target.flip() shouldBe source.duplicate().flip()
            }
        }

        test("a cancelled read leaves its buffer alone, and the bytes to the next read") {
            withPoller {
                val pipe = pipe()
                val target = ByteBuffer.allocate(8)
                waiting { pipe.source().read(target) }.cancelAndJoin()
                pipe.sink().write(ByteBuffer.wrap(byteArrayOf(7)))
                stillWait()
                target.position() shouldBe 0
                pipe.source().read(target) shouldBe 1
            }
        }

        test("closing a descriptor ends its readers and writers with ClosedChannelException") {
            withPoller {
                val pipe = pipe()
                val reader = waiting { runCatching { pipe.source().read(ByteBuffer.allocate(1)) } }
                val writer = waiting { runCatching { pipe.sink().writeFully(ByteBuffer.allocate(1 shl 20)) } }
                pipe.sink().close()
                pipe.source().close()
                (writer.await().exceptionOrNull() is ClosedChannelException) shouldBe true
                // Either end may be closed first: the reader sees the end of the stream, or that it is closed.
                reader.await().run { getOrNull() == 1 || exceptionOrNull() is ClosedChannelException } shouldBe true
                shouldThrow<ClosedChannelException> { pipe.source().read(ByteBuffer.allocate(1)) }
                shouldThrow<ClosedChannelException> { pipe.sink().write(ByteBuffer.allocate(1)) }
            }
        }

        test("a write that nobody will read fails with EPIPE, also while it waits") {
            withPoller {
                val pipe = pipe()
                val writer = waiting { runCatching { pipe.sink().writeFully(ByteBuffer.allocate(1 shl 20)) } }
                pipe.source().close()
                (writer.await().exceptionOrNull() as SyscallException).errnoName() shouldBe "EPIPE"
            }
        }

        test("closing the poller ends readers and writers with ClosedPollerException") {
            withPoller {
                val pipe = pipe()
                val reader = waiting { runCatching { pipe().source().read(ByteBuffer.allocate(1)) } }
                val writer = waiting { runCatching { pipe.sink().writeFully(ByteBuffer.allocate(1 shl 20)) } }
                poller.close()
                (reader.await().exceptionOrNull() is ClosedPollerException) shouldBe true
                (writer.await().exceptionOrNull() is ClosedPollerException) shouldBe true
            }
        }

        test("a blocking pipe is read and written without being made non-blocking") {
            withPoller {
                val pipe = fds.blockingPipe()
                val source = keep(RawFd.borrow(poller, pipe.a()))
                val sink = keep(RawFd.borrow(poller, pipe.b()))
                val bytes = Random(3).nextBytes(300_000)
                val writer = waiting { sink.writeFully(ByteBuffer.wrap(bytes)) }
                val target = ByteBuffer.allocate(bytes.size)
                while (target.hasRemaining()) source.read(target)
                writer.await()
                target.array().contentEquals(bytes) shouldBe true
                for (fd in listOf(pipe.a(), pipe.b())) LibC.C.fcntl(fd, LibC.F_GETFL, 0) and LibC.O_NONBLOCK shouldBe 0
            }
        }

        test("taking from an eventfd waits for a value, and takes all of it") {
            withPoller {
                val counter = keep(EventFd.counter(poller, 0))
                val taker = waiting { counter.take() }
                stillWait(taker)
                Fds.add(counter.fd(), 5)
                taker.await() shouldBe 5u
                counter.add(2u)
                counter.add(3u)
                counter.take() shouldBe 5u
                waiting { counter.take() }.cancelAndJoin()
                counter.add(1u)
                counter.take() shouldBe 1u
            }
        }

        test("adding to a full eventfd waits for room") {
            withPoller {
                val counter = keep(EventFd.counter(poller, 0))
                val most = EventFd.MAX_VALUE.toULong()
                most shouldBe ULong.MAX_VALUE - 1u
                counter.add(most)
                val adder = waiting { counter.add(7u) }
                stillWait(adder)
                counter.take() shouldBe most
                adder.await()
                counter.take() shouldBe 7u
                shouldThrow<IllegalArgumentException> { counter.add(ULong.MAX_VALUE) }
            }
        }

        test("each permit of a semaphore goes to one taker") {
            withPoller {
                val semaphore = keep(EventFd.semaphore(poller, 3))
                val takers = List(10) { waiting { semaphore.take() } }
                takers.take(3).awaitAll() shouldBe List(3) { 1uL }
                stillWait(*takers.drop(3).toTypedArray())
                semaphore.add(7u)
                takers.awaitAll() shouldBe List(10) { 1uL }
            }
        }

        test("closing an eventfd ends who takes from it") {
            withPoller {
                val counter = EventFd.counter(poller, 0)
                val taker = waiting { runCatching { counter.take() } }
                counter.close()
                (taker.await().exceptionOrNull() is ClosedChannelException) shouldBe true
                shouldThrow<ClosedChannelException> { counter.add(1u) }
            }
        }
    })

private fun PollerScope.pipe(): Pipe {
    val pipe = Pipe.open(poller)
    keep(pipe.source())
    keep(pipe.sink())
    return pipe
}

private fun buffer(direct: Boolean, size: Int): ByteBuffer =
    if (direct) ByteBuffer.allocateDirect(size) else ByteBuffer.allocate(size)

private suspend fun Pipe.readAll(buffer: ByteBuffer, size: Int): ByteArray {
    val all = ByteBuffer.allocate(size)
    while (source().read(buffer) >= 0) {
        all.put(buffer.flip())
        buffer.clear()
    }
    return all.array().copyOf(all.position())
}
