package dev.epoll.examples

import dev.epoll.ClosedPollerException
import dev.epoll.Poller
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.File
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch

private const val SIGINT = 2

class PgCancellationTest :
    FunSpec({
        beforeSpec { PostgresServer.ensureStarted() }

        test("queries of many connections run at once on the poller thread, and end when they are cancelled") {
            withPoller {
                val dispatcher = poller.asCoroutineDispatcher()
                val watch = connect()
                val pool = keep(PgPool(poller, PostgresServer.url, 50))
                val sleepers = List(50) { async(dispatcher) { pool.withConnection { it.query(SLEEP) } } }
                watch.waitForActive(50)
                until("all wait for their results") { waiters() == 50 }
                val queued = async(dispatcher) { pool.withConnection { it.value("select 7") } }
                stillWait(queued)
                sleepers.first().cancelAndJoin()
                queued.await() shouldBe "7"
                sleepers.forEach { it.cancel() }
                sleepers.joinAll()
                watch.active() shouldBe 0
            }
        }

        test("1,000 sleeps of 0.1 s share 50 connections and one thread") {
            withPoller {
                val pool = keep(PgPool(poller, PostgresServer.url, 50))
                val start = System.nanoTime()
                List(1_000) {
                        async(poller.asCoroutineDispatcher()) {
                            pool.withConnection { connection ->
                                connection.value("select $it from pg_sleep(0.1)") shouldBe "$it"
                                poller.inPollerThread() shouldBe true
                            }
                        }
                    }
                    .awaitAll()
                System.nanoTime() - start shouldBeGreaterThanOrEqual 2_000_000_000
            }
        }

        test("cancelling a query ends it on the server, and the connection takes the next one") {
            withPoller {
                val watch = connect()
                val connection = connect()
                repeat(20) {
                    val query = waiting { connection.query("$SLEEP -- $it") }
                    if (it % 2 == 0) watch.waitForActive(1)
                    query.cancelAndJoin()
                    watch.active() shouldBe 0
                    connection.isIdle shouldBe true
                    connection.value("select $it") shouldBe "$it"
                }
            }
        }

        for (padding in listOf(1, 10_000_000)) {
            test("a cancel request that overtakes its query, of $padding bytes and more, is repeated") {
                withPoller {
                    val watch = connect()
                    val connection = connect()
                    val backend = connection.backend()
                    // Stopped, it reads nothing; of a long query, not all can be sent either.
                    PostgresServer.signal("STOP", backend)
                    val query = waiting { connection.query("$SLEEP -- ${"x".repeat(padding)}") }
                    query.cancel()
                    until("the request has reached it") { isPending(SIGINT, backend) }
                    PostgresServer.signal("CONT", backend)
                    query.join()
                    watch.active() shouldBe 0
                    connection.value("select 3") shouldBe "3"
                }
            }
        }

        test("a cancel request that comes after the result does no harm") {
            withPoller {
                val connection = connect()
                repeat(50) {
                    val query = launch { connection.query("select 1") }
                    delay(it % 3L)
                    query.cancelAndJoin()
                    connection.value("select 2") shouldBe "2"
                }
            }
        }

        test("closing the poller fails a query, and ends it on the server") {
            withPoller {
                val watch = connect()
                val other = Poller.open()
                val connection = keep(PgConnection.connect(other, PostgresServer.url))
                val query = waiting { shouldThrow<ClosedPollerException> { connection.query(SLEEP) } }
                watch.waitForActive(1)
                other.close()
                query.await()
                watch.waitForActive(0)
                connection.isIdle shouldBe false
            }
        }
    })

/** Whether the process has been sent [signal], and not yet taken it. */
private fun isPending(signal: Int, pid: Long): Boolean {
    val pending = File("/proc/$pid/status").readLines().single { it.startsWith("ShdPnd:") }
    return pending.substringAfter(':').trim().toLong(16) and (1L shl signal - 1) != 0L
}
