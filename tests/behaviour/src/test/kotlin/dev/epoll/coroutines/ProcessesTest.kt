package dev.epoll.coroutines

import dev.epoll.fd.ByteSource
import dev.epoll.fd.ChildProcess
import dev.epoll.fd.PidFd
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.LockSupport
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch

private const val MANY = 1000

class ProcessesTest :
    FunSpec({
        test("a pidfd's await waits for the exit, and cancelled leaves the process alone") {
            withPoller {
                val process = ProcessBuilder("sleep", "600").start()
                val pidFd = keep(PidFd.open(poller, process.pid()))
                waiting { pidFd.awaitExit() }.cancelAndJoin()
                val waiter = waiting { pidFd.awaitExit() }
                stillWait(waiter)
                process.isAlive shouldBe true
                process.destroy()
                waiter.await()
                pidFd.awaitExit()
                pidFd.close()
                shouldThrow<ClosedChannelException> { pidFd.awaitExit() }
            }
        }

        test("the exit code is that of the program, or tells the signal") {
            withPoller {
                poller.withProcess(shell("exit 42")) { it.awaitExit() } shouldBe 42
                poller.withProcess(shell("kill -USR1 \$\$")) { it.awaitExit() } shouldBe 128 + 10
            }
        }

        test("awaiting the exit is cancelled without harm to the child") {
            withPoller {
                poller.withProcess(ProcessBuilder("cat")) { cat ->
                    waiting { cat.awaitExit() }.cancelAndJoin()
                    cat.stdin().writeFully(ByteBuffer.wrap("x".toByteArray()))
                    cat.stdin().close()
                    cat.stdout().readText() shouldBe "x"
                    cat.awaitExit() shouldBe 0
                }
            }
        }

        test("many bytes go through a child in both directions, on every dispatcher") {
            withPoller {
                val bytes = Random(4).nextBytes(1 shl 20)
                for (dispatcher in dispatchers().values) {
                    poller.withProcess(ProcessBuilder("cat")) { cat ->
                        val read = async(dispatcher) { cat.stdout().readBytes() }
                        launch(dispatcher) { cat.stdin().use { it.writeFully(ByteBuffer.wrap(bytes)) } }
                        read.await().contentEquals(bytes) shouldBe true
                    }
                }
            }
        }

        test("a cancelled block leaves no child, not even a zombie") {
            withPoller {
                val started = CompletableDeferred<ChildProcess>()
                val user = launch {
                    poller.withProcess(shell("trap '' TERM; exec sleep 600")) {
                        started.complete(it)
                        awaitCancellation()
                    }
                }
                val child = started.await()
                child.process().isAlive shouldBe true
                user.cancelAndJoin()
                child.process().exitValue() shouldBe 128 + 9
                ProcessHandle.of(child.pid()).isPresent shouldBe false
            }
        }

        test("a child whose start was cancelled meanwhile is killed, too") {
            withPoller {
                // Cancelled while another thread starts it: sometimes before, sometimes after.
                repeat(30) { round ->
                    val user = waiting { poller.withProcess(ProcessBuilder("sleep", "600")) { awaitCancellation() } }
                    LockSupport.parkNanos(round * 200_000L)
                    user.cancelAndJoin()
                }
                until("no child is left") { ProcessHandle.current().children().noneMatch { it.isSleep() } }
            }
        }

        test("a failed block and a failed start leave nothing") {
            withPoller {
                shouldThrow<IllegalStateException> { poller.withProcess(ProcessBuilder("cat")) { error("no") } }
                shouldThrow<IOException> { poller.withProcess(ProcessBuilder("/no/such/program")) {} }
            }
        }

        test("terminating asks first, and kills what does not listen") {
            withPoller {
                poller.withProcess(shell("trap 'exit 5' TERM; echo; while :; do sleep 0.01; done")) {
                    it.stdout().read(ByteBuffer.allocate(1)) shouldBe 1
                    it.terminate(Duration.INFINITE) shouldBe 5
                    it.terminate(Duration.ZERO) shouldBe 5
                }
                poller.withProcess(shell("trap '' TERM; echo; exec sleep 600")) {
                    it.stdout().read(ByteBuffer.allocate(1)) shouldBe 1
                    it.terminate(50.milliseconds) shouldBe 128 + 9
                }
                poller.withProcess(ProcessBuilder("sleep", "600")) { it.terminate(Duration.INFINITE) shouldBe 128 + 15 }
            }
        }

        test("a thousand children at once each echo their own bytes") {
            withPoller {
                val up = AtomicInteger()
                val allUp = CompletableDeferred<Unit>()
                List(MANY) { i ->
                        async {
                            poller.withProcess(ProcessBuilder("cat")) { cat ->
                                if (up.incrementAndGet() == MANY) allUp.complete(Unit)
                                allUp.await()
                                cat.stdin().use { it.writeFully(ByteBuffer.wrap("I am $i".toByteArray())) }
                                cat.stdout().readText() shouldBe "I am $i"
                                cat.awaitExit()
                            }
                        }
                    }
                    .awaitAll() shouldBe List(MANY) { 0 }
            }
        }
    })

private fun shell(script: String) = ProcessBuilder("sh", "-c", script)

private fun ProcessHandle.isSleep() = info().command().orElse("").endsWith("sleep")

private suspend fun ByteSource.readText() = readBytes().decodeToString()

private suspend fun ByteSource.readBytes(): ByteArray {
    val bytes = ByteArrayOutputStream()
    val buffer = ByteBuffer.allocate(16 * 1024)
    while (read(buffer) >= 0) {
        bytes.write(buffer.array(), 0, buffer.position())
        buffer.clear()
    }
    return bytes.toByteArray()
}
