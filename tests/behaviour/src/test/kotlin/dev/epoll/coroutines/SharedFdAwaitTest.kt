package dev.epoll.coroutines

import dev.epoll.ClosedRegistrationException
import dev.epoll.SyscallException
import dev.epoll.testing.Fds
import dev.epoll.testing.LibC
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

class SharedFdAwaitTest :
    FunSpec({
        test("awaits by number share one registration, which goes with the last of them") {
            withPoller {
                val pair = fds.socketpair()
                Fds.fill(pair.a())
                val reader = waiting { poller.awaitReadable(pair.a()) }
                val writer = waiting { poller.awaitWritable(pair.a()) }
                poller.snapshot().registrations().single().waiters() shouldBe 2
                Fds.write(pair.b(), 1)
                reader.await()
                poller.snapshot().registrations().single().waiters() shouldBe 1
                Fds.drain(pair.b())
                writer.await()
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("an await by number joins the registration that the fd has, and leaves it (#299)") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val byRegistration = waiting { registration.awaitReadable() }
                val byNumber = waiting { poller.awaitReadable(pipe.a()) }
                poller.snapshot().registrations().single().waiters() shouldBe 2
                Fds.write(pipe.b(), 1)
                byRegistration.await().isReadable shouldBe true
                byNumber.await().isReadable shouldBe true
                registration.isClosed shouldBe false
                waiting { poller.awaitReadable(pipe.a()) }.await()
                registration.isClosed shouldBe false
            }
        }

        test("closing the registration ends the awaits by number that joined it") {
            withPoller {
                val pipe = fds.pipe()
                val registration = poller.register(pipe.a())
                val byNumber = waiting { runCatching { poller.awaitReadable(pipe.a()) }.exceptionOrNull() }
                registration.close()
                (byNumber.await() is ClosedRegistrationException) shouldBe true
                Fds.write(pipe.b(), 1)
                poller.awaitReadable(pipe.a()).isReadable shouldBe true
            }
        }

        test("while an fd is awaited by number, registering it is EEXIST and leaves the await alone") {
            withPoller {
                val pipe = fds.pipe()
                val reader = waiting { poller.awaitReadable(pipe.a()) }
                shouldThrow<SyscallException> { poller.register(pipe.a()) }.errnoName() shouldBe "EEXIST"
                stillWait(reader)
                Fds.write(pipe.b(), 1)
                reader.await()
                poller.register(pipe.a()).close()
            }
        }

        test("a number that is closed and reused under an await belongs to its new owner (#340)") {
            withPoller {
                val old = fds.socketpair()
                val number = fds.dup(old.a())
                val reader = waiting { runCatching { poller.awaitReadable(number) }.exceptionOrNull() }
                val new = fds.pipe()
                LibC.check(LibC.C.dup2(new.b(), number).toLong())
                poller.awaitWritable(number).isWritable shouldBe true
                (reader.await() as SyscallException).errnoName() shouldBe "ENOENT"
                Fds.write(old.b(), 1)
                Fds.fill(new.b())
                val writer = waiting { poller.awaitWritable(number) }
                stillWait(writer)
                Fds.drain(new.a())
                writer.await().isWritable shouldBe true
            }
        }

        test("after a cancelled await its number may be closed and reused, though the old file lives on (#340)") {
            withPoller {
                val old = fds.pipe()
                val number = fds.dup(old.a())
                waiting { poller.awaitReadable(number) }.cancelAndJoin()
                val new = fds.pipe()
                LibC.check(LibC.C.dup2(new.a(), number).toLong())
                val reader = waiting { poller.awaitReadable(number) }
                Fds.write(old.b(), 1)
                stillWait(reader)
                Fds.write(new.b(), 1)
                reader.await().isReadable shouldBe true
            }
        }

        test("a registration is closed and its fd's number reused, again and again (#226, #340)") {
            withPoller {
                val number = fds.dup(fds.eventfd(0))
                repeat(500) {
                    val pipe = fds.pipe()
                    // Closes what the number was and gives it to the pipe, in one step.
                    LibC.check(LibC.C.dup2(pipe.a(), number).toLong())
                    withTimeoutOrNull(1) { poller.awaitReadable(number) } shouldBe null
                    Fds.write(pipe.b(), 1)
                    poller.awaitReadable(number).isReadable shouldBe true
                    Fds.drain(pipe.a())
                    val registration = poller.register(number)
                    val reader = waiting { runCatching { registration.awaitReadable() } }
                    if (it % 2 == 0) Fds.write(pipe.b(), 1)
                    registration.close()
                    reader.await()
                    fds.close(pipe.a())
                    fds.close(pipe.b())
                }
            }
        }

        test("an fd that was closed under its await fails the next one with EBADF, and is let go (#341)") {
            withPoller {
                val pipe = fds.pipe()
                val number = fds.dup(pipe.a())
                val reader = waiting { runCatching { poller.awaitReadable(number) }.exceptionOrNull() }
                fds.close(number)
                shouldThrow<SyscallException> { poller.awaitWritable(number) }.errnoName() shouldBe "EBADF"
                (reader.await() as SyscallException).errnoName() shouldBe "EBADF"
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("many come and go on one number at once") {
            withPoller {
                val pipe = fds.pipe()
                Fds.write(pipe.b(), 1)
                List(8) { worker ->
                        launch {
                            repeat(500) { round ->
                                if ((round + worker) % 3 == 0) {
                                    waiting { poller.awaitReadable(pipe.a()) }.cancelAndJoin()
                                } else {
                                    poller.awaitReadable(pipe.a()).isReadable shouldBe true
                                }
                            }
                        }
                    }
                    .forEach { it.join() }
                until("it is gone") { poller.snapshot().registrations().isEmpty() }
            }
        }
    })
