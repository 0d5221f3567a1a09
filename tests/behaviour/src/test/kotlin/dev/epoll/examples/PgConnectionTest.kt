package dev.epoll.examples

import dev.epoll.coroutines.accept
import dev.epoll.coroutines.read
import dev.epoll.coroutines.writeFully
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import dev.epoll.testing.FdLimit
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldNotBeInstanceOf
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.sql.SQLException
import java.sql.SQLNonTransientConnectionException
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

class PgConnectionTest :
    FunSpec({
        beforeSpec { PostgresServer.ensureStarted() }

        test("gives columns, rows, nulls and text in any language") {
            withPoller {
                val sql = "select i, nullif(i, 2) as n, 'Grüße €' as \"Süd\" from generate_series(1, 3) i"
                val result = connect().query(sql)
                result.columns shouldContainExactly listOf("i", "n", "Süd")
                result.rows shouldContainExactly
                    listOf(listOf("1", "1", "Grüße €"), listOf("2", null, "Grüße €"), listOf("3", "3", "Grüße €"))
            }
        }

        test("what returns nothing has no columns, and of several statements the last one counts") {
            withPoller {
                val connection = connect()
                val nothing = PgResult(emptyList(), emptyList())
                connection.query("") shouldBe nothing
                connection.query("select 1; create temp table t (i int)") shouldBe nothing
                connection.query("insert into t values (1), (2)") shouldBe nothing
                connection.query("delete from t where i = 1; select i from t").rows shouldBe listOf(listOf("2"))
            }
        }

        test("works on every dispatcher") {
            withPoller {
                for ((name, dispatcher) in dispatchers()) {
                    withContext(dispatcher) { connect().value("select '$name'") shouldBe name }
                }
            }
        }

        test("a text larger than the socket's buffer is sent, and a large result received") {
            withPoller {
                val connection = connect()
                val text = CharArray(10_000_000) { 'a' + it % 26 }.concatToString()
                (connection.value("select '$text'") == text) shouldBe true
                val rows = connection.query("select i, repeat('x', 1000) from generate_series(1, 10000) i").rows
                rows.size shouldBe 10_000
                rows.withIndex().all { (i, row) -> row == listOf("${i + 1}", "x".repeat(1000)) } shouldBe true
            }
        }

        test("an error of a statement has its SQLSTATE, and the connection stays usable") {
            withPoller {
                val connection = connect()
                val failure = shouldThrow<SQLException> { connection.query("select 1; select 1/0; select 2") }
                failure.sqlState shouldBe "22012"
                failure.message shouldBe "ERROR:  division by zero"
                failure.shouldNotBeInstanceOf<SQLNonTransientConnectionException>()
                shouldThrow<SQLException> { connection.query("selct") }.sqlState shouldBe "42601"
                connection.isIdle shouldBe true
                connection.value("select 2") shouldBe "2"
            }
        }

        test("what it cannot do is said at once") {
            withPoller {
                val connection = connect()
                shouldThrow<IllegalArgumentException> { connection.query("select '\u0000'") }.message shouldContain "8"
                connection.value("select 1") shouldBe "1"
                for (copy in listOf("copy (select 1) to stdout", "create temp table t (i int); copy t from stdin")) {
                    val copying = connect()
                    shouldThrow<UnsupportedOperationException> { copying.query(copy) }
                    copying.isIdle shouldBe false
                }
            }
        }

        test("a connection does one thing at a time, and nothing when it is closed") {
            withPoller {
                val connection = connect()
                val query = waiting { connection.query(SLEEP) }
                shouldThrow<IllegalStateException> { connection.query("select 1") }.message shouldContain "IN_USE"
                shouldThrow<IllegalStateException> { connection.close() }
                connection.isIdle shouldBe false
                query.cancelAndJoin()
                connection.close()
                connection.close()
                shouldThrow<IllegalStateException> { connection.query("select 1") }.message shouldContain "CLOSED"
                connection.isIdle shouldBe false
            }
        }

        test("a backend that is ended in the middle of a query is an error that says so") {
            withPoller {
                val watch = connect()
                val connection = connect()
                val backend = connection.backend()
                val query = waiting { shouldThrow<SQLException> { connection.query(SLEEP) } }
                watch.waitForActive(1)
                watch.query("select pg_terminate_backend($backend)")
                query.await().sqlState shouldBe "57P01"
                connection.isIdle shouldBe false
                shouldThrow<SQLNonTransientConnectionException> { connection.query("select 1") }.sqlState shouldBe
                    "08006"
            }
        }

        val waits =
            mapOf<String, suspend (PgConnection) -> Unit>(
                "querying" to { it.query(SLEEP) },
                "listening" to { it.notifications().collect {} },
            )
        for ((name, wait) in waits) {
            test("a connection that is lost without a word is an error while $name") {
                withPoller {
                    val fake = listener()
                    val accepted = waiting { fake.letIn() }
                    val connection = keep(PgConnection.connect(poller, fake.url()))
                    val lost = waiting { shouldThrow<SQLNonTransientConnectionException> { wait(connection) } }
                    stillWait(lost)
                    accepted.await().close()
                    lost.await().sqlState shouldBe "08006"
                    connection.isIdle shouldBe false
                }
            }
        }

        test("if the server cannot be asked to cancel a query, that ends, but the connection is not idle") {
            withPoller {
                val fake = listener()
                val accepted = waiting { keep(fake.letIn()) }
                val connection = keep(PgConnection.connect(poller, fake.url()))
                accepted.await()
                fake.close()
                val query = waiting { connection.query(SLEEP) }
                stillWait(query)
                query.cancelAndJoin()
                connection.isIdle shouldBe false
            }
        }

        test("notifications come as a flow, those of before it is collected too") {
            withPoller {
                val listener = connect()
                val notifier = connect()
                val channel = "Größe \"1\""
                listener.listen(channel)
                notifier.query("select pg_notify('$channel', 'one')")
                listener.query("select 1")
                val collected = waiting { listener.notifications().take(3).toList() }
                stillWait(collected)
                notifier.query(
                    "select pg_notify('$channel', 'two'), pg_notify('other', 'x'), pg_notify('$channel', '')"
                )
                val from = notifier.backend().toInt()
                collected.await() shouldBe listOf("one", "two", "").map { PgNotification(channel, it, from) }
                listener.value("select 4") shouldBe "4"
            }
        }

        test("who no longer collects notifications can query") {
            withPoller {
                val listener = connect()
                listener.listen("jobs")
                val collecting = waiting { listener.notifications().collect {} }
                stillWait(collecting)
                shouldThrow<IllegalStateException> { listener.query("select 1") }
                collecting.cancelAndJoin()
                listener.value("select 5") shouldBe "5"
            }
        }

        test("a server that is not there is an error, and nothing is left open") {
            withPoller {
                for (url in listOf("host=/no/such/folder", "host=127.0.0.1 port=${closedPort()}", "nonsense=1")) {
                    val failure = shouldThrow<SQLNonTransientConnectionException> { PgConnection.connect(poller, url) }
                    withClue(failure) { failure.sqlState shouldBe "08001" }
                }
                poller.snapshot().registrations() shouldBe emptyList()
            }
        }

        test("goes on to the next host, with another socket, when the first refuses") {
            withPoller {
                val url = PostgresServer.url.replace("host=", "port=${closedPort()},5432 host=127.0.0.1,")
                PgConnection.connect(poller, url).use { it.value("select 6") shouldBe "6" }
            }
        }

        test("cancelling a connect leaves nothing open") {
            withPoller {
                val silent = listener()
                val connect = waiting { PgConnection.connect(poller, silent.url()) }
                stillWait(connect)
                connect.cancelAndJoin()
            }
        }

        test("when no descriptor is free, that is the error") {
            withPoller {
                fun failure(url: String) = runBlocking {
                    runCatching { PgConnection.connect(poller, url).close() }.exceptionOrNull()
                }
                // First without the limit, for classes are loaded from files.
                failure(PostgresServer.url) shouldBe null
                failure("nonsense=1") shouldNotBe null
                "${FdLimit.whileReached { failure(PostgresServer.url) }}" shouldContain "Too many open files"
            }
        }

        test("the pool replaces a connection that was lost, or is in a transaction") {
            withPoller {
                val pool = keep(PgPool(poller, PostgresServer.url, 1))
                val first = pool.withConnection { it.backend() }
                pool.withConnection { it.backend() } shouldBe first
                shouldThrow<SQLException> { pool.withConnection { it.query("select pg_terminate_backend($first)") } }
                val second = pool.withConnection { it.backend() }
                second shouldNotBe first
                pool.withConnection { it.query("begin") }
                pool.withConnection { it.backend() } shouldNotBe second
            }
        }
    })

private fun PollerScope.listener() = keep(TcpListener.bind(poller, InetSocketAddress("127.0.0.1", 0)))

private fun TcpListener.url() =
    "host=127.0.0.1 port=${localAddress().port} user=anyone sslmode=disable gssencmode=disable"

private fun PollerScope.closedPort(): Int =
    TcpListener.bind(poller, InetSocketAddress("127.0.0.1", 0)).use { it.localAddress().port }

/** Lets a client in as a server does that asks for no password and is ready. */
private suspend fun TcpListener.letIn(): TcpStream {
    val client = accept()
    client.read(ByteBuffer.allocate(4096))
    val authenticationOk = "R\u0000\u0000\u0000\u0008\u0000\u0000\u0000\u0000"
    val readyForQuery = "Z\u0000\u0000\u0000\u0005I"
    client.writeFully(ByteBuffer.wrap((authenticationOk + readyForQuery).toByteArray()))
    return client
}
