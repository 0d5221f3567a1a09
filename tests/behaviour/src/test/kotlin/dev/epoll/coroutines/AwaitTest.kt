package dev.epoll.coroutines

import dev.epoll.EventMask
import dev.epoll.Interest
import dev.epoll.Poller
import dev.epoll.Readiness
import dev.epoll.SyscallException
import dev.epoll.Waiter
import dev.epoll.fd.EventFd
import dev.epoll.testing.Fds
import dev.epoll.testing.LibC
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

private const val EPIPE = 32

class AwaitTest :
    FunSpec({
        test("a fresh socket is writable at once, and readable when the peer has written (#286)") {
            withPoller {
                val pair = fds.socketpair()
                val registration = poller.register(pair.a())
                registration.awaitWritable().isWritable shouldBe true
                val reader = waiting { registration.awaitReadable() }
                stillWait(reader)
                Fds.write(pair.b(), 1)
                reader.await().isReadable shouldBe true
            }
        }

        test("what was there before the await is reported, as often as one awaits (#287, #302)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                Fds.write(pipe.b(), 1)
                repeat(3) { registration.awaitReadable().mask() shouldBe EventMask.IN }
            }
        }

        test("reader and writer of one fd are independent (#289)") {
            withPoller {
                val pair = fds.socketpair()
                val registration = poller.register(pair.a())
                Fds.fill(pair.a())
                val order = CopyOnWriteArrayList<String>()
                val reader = waiting { registration.awaitReadable().also { order += "read" } }
                val writer = waiting { registration.awaitWritable().also { order += "write" } }
                Fds.write(pair.b(), 1)
                reader.await()
                stillWait(writer)
                Fds.drain(pair.b())
                writer.await()
                order shouldContainExactly listOf("read", "write")
            }
        }

        test("all who await one fd are resumed by one event, in the order of their coming (#290, #292)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val order = CopyOnWriteArrayList<Int>()
                val readers =
                    List(10) { i ->
                        launch(Dispatchers.Unconfined) {
                            registration.awaitReadable()
                            order += i
                        }
                    }
                waiters() shouldBe 10
                Fds.write(pipe.b(), 1)
                readers.forEach { it.join() }
                order shouldContainExactly (0..9).toList()
                poller.stats().events() shouldBe 1
            }
        }

        test("a hangup resumes the writer of a pipe, whose write then fails with EPIPE (#295)") {
            withPoller {
                val pipe = fds.pipe()
                Fds.fill(pipe.b())
                val writer = waiting { poller.register(pipe.b()).awaitWritable() }
                fds.close(pipe.a())
                writer.await().isError shouldBe true
                LibC.C.write(pipe.b(), ByteArray(1), 1) shouldBe -1
                LibC.errno() shouldBe EPIPE
            }
        }

        test("an fd that is not open fails at the await and harms no other (#296)") {
            withPoller {
                val pipe = fds.pipe()
                val other = waiting { poller.awaitReadable(pipe.a()) }
                val closed = fds.dup(pipe.a()).also { fds.close(it) }
                for (fd in listOf(-1, closed)) {
                    shouldThrow<SyscallException> { poller.awaitReadable(fd) }.errnoName() shouldBe "EBADF"
                    shouldThrow<SyscallException> { poller.awaitWritable(fd) }.errnoName() shouldBe "EBADF"
                }
                Fds.write(pipe.b(), 1)
                other.await().isReadable shouldBe true
            }
        }

        test("a regular file fails at the await and says why") {
            withPoller {
                val file = fds.open("/proc/self/exe", LibC.O_RDONLY)
                val failure = shouldThrow<SyscallException> { poller.awaitReadable(file) }
                failure.errnoName() shouldBe "EPERM"
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("an await of two directions reports those that are ready (#304)") {
            withPoller {
                val pair = fds.socketpair()
                val registration = poller.register(pair.a())
                val both = Interest.READABLE.or(Interest.WRITABLE)
                Fds.write(pair.b(), 1)
                registration.await(both).mask() shouldBe EventMask.IN.or(EventMask.OUT)
                Fds.fill(pair.a())
                registration.await(both).mask() shouldBe EventMask.IN
                Fds.drain(pair.b())
                Fds.drain(pair.a())
                registration.await(both).mask() shouldBe EventMask.OUT
            }
        }

        test("a coroutine may close what it was resumed by, on the poller thread (#310)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val closer =
                    launch(Dispatchers.Unconfined) {
                        registration.awaitReadable()
                        poller.inPollerThread() shouldBe true
                        registration.close()
                        fds.close(pipe.a())
                    }
                Fds.write(pipe.b(), 1)
                closer.join()
                poller.snapshot().registrations() shouldBe emptyList()
                poller.awaitWritable(fds.eventfd(0)).isWritable shouldBe true
            }
        }

        test("a coroutine or waiter that throws harms no other, and is reported once (#311)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val thrown = CopyOnWriteArrayList<Throwable>()
                registration.arm(Interest.READABLE, ThrowingWaiter)
                launch(SupervisorJob() + Dispatchers.Unconfined + CoroutineExceptionHandler { _, e -> thrown += e }) {
                    registration.awaitReadable()
                    error("on purpose")
                }
                val other = waiting { registration.awaitReadable() }
                Fds.write(pipe.b(), 1)
                other.await().isReadable shouldBe true
                registration.awaitReadable().isReadable shouldBe true
                thrown.map { it.message } shouldContainExactly listOf("on purpose")
            }
        }

        test("no wakeup is lost between arming and suspending (#313)") {
            withPoller {
                val rounds = 10_000
                val there = keep(EventFd.counter(poller, 0))
                val back = keep(EventFd.counter(poller, 0))
                launch {
                    repeat(rounds) {
                        there.take()
                        back.add(1u)
                    }
                }
                repeat(rounds) {
                    there.add(1u)
                    back.take() shouldBe 1u
                }
            }
        }

        test("nothing more is reported to nobody, and the next await completes at once (#314)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                Fds.write(pipe.b(), 1)
                registration.awaitReadable()
                val events = poller.stats().events()
                Fds.write(pipe.b(), 1)
                stillWait()
                poller.stats().events() shouldBe events
                registration.awaitReadable().isReadable shouldBe true
            }
        }

        test("the end of the stream is reported as often as one awaits, and is no error (#317, #320)") {
            withPoller {
                val pair = fds.socketpair()
                val registration = poller.register(pair.a())
                fds.close(pair.b())
                repeat(10) {
                    registration.awaitReadable().isReadClosed shouldBe true
                    registration.awaitWritable().isHangup shouldBe true
                    LibC.C.read(pair.a(), ByteArray(1), 1) shouldBe 0
                }
            }
        }

        test("awaits work on every dispatcher, and on that of runBlocking") {
            withPoller {
                for ((name, dispatcher) in dispatchers()) {
                    withClue(name) {
                        val pipe = fds.pipe()
                        val reader = waiting { withContext(dispatcher) { poller.awaitReadable(pipe.a()) } }
                        until("it waits") { waiters() == 1 }
                        Fds.write(pipe.b(), 1)
                        reader.await().isReadable shouldBe true
                    }
                }
                val pipe = fds.pipe()
                val writer = waiting {
                    until("it waits") { waiters() == 1 }
                    Fds.write(pipe.b(), 1)
                }
                runBlocking { poller.awaitReadable(pipe.a()) }.isReadable shouldBe true
                writer.await()
            }
        }

        test("many coroutines await many fds") {
            withPoller {
                val pipes = List(200) { fds.pipe() }
                val readers = pipes.flatMap { pipe -> List(5) { waiting { poller.awaitReadable(pipe.a()) } } }
                pipes.shuffled().forEach { Fds.write(it.b(), 1) }
                readers.awaitAll().all { it.isReadable } shouldBe true
                until("they are gone") { poller.snapshot().registrations().isEmpty() }
            }
        }

        test("awaits without a poller use the shared one") {
            withPoller {
                val pipe = fds.pipe()
                awaitWritable(pipe.b()).isWritable shouldBe true
                val reader = waiting { awaitReadable(pipe.a()) }
                Poller.shared().snapshot().registrations().count { it.fd() == pipe.a() } shouldBe 1
                Fds.write(pipe.b(), 1)
                reader.await().isReadable shouldBe true
                Poller.shared().snapshot().registrations().count { it.fd() == pipe.a() } shouldBe 0
            }
        }
    })

private object ThrowingWaiter : Waiter {
    override fun ready(readiness: Readiness): Unit = error("a waiter that throws, on purpose")

    override fun failed(cause: IOException) = Unit
}
