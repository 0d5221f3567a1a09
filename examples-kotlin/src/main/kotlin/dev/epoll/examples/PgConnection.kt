package dev.epoll.examples

import dev.epoll.Interest
import dev.epoll.Poller
import dev.epoll.coroutines.await
import dev.epoll.coroutines.awaitReadable
import dev.epoll.coroutines.awaitWritable
import java.io.Closeable
import java.io.IOException
import java.sql.SQLException
import java.sql.SQLNonTransientConnectionException
import java.util.concurrent.atomic.AtomicReference
import jnr.ffi.Pointer
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * A connection to PostgreSQL, by those functions of libpq that do not wait: where they would, they tell what for, and
 * this class awaits the socket.
 *
 * The socket is libpq's, which may replace it while it connects, and closes it when the connection is lost. So it is
 * asked for each time, and awaited by its bare number, which registers it for that one await.
 *
 * Thread: any, but one at a time; who comes while it is in use gets an [IllegalStateException].
 */
class PgConnection private constructor(private val poller: Poller, private val handle: Pointer) : Closeable {
    private enum class State {
        FREE,
        IN_USE,
        CLOSED,
    }

    private val state = AtomicReference(State.FREE)

    /** Whether it can take a query, in no transaction. Not so once it is lost. */
    val isIdle: Boolean
        get() = state.get() == State.FREE && libpq.PQtransactionStatus(handle) == PQTRANS_IDLE

    /**
     * Sends [sql], one or several statements, and suspends until the server has done them all.
     *
     * Cancelling it cancels them on the server, and waits until that has said that they are over: then nothing runs
     * there any more, and the connection can take the next query.
     *
     * @return the result of the last statement
     * @throws SQLException the first error, with its SQLSTATE; the connection stays usable, if it is not lost
     * @throws SQLNonTransientConnectionException if the connection is lost
     * @throws IOException if the socket cannot be awaited, for the poller is closed; the connection is of no use then
     * @throws UnsupportedOperationException if [sql] copies from or to the client; the same goes for the connection
     */
    suspend fun query(sql: String): PgResult {
        require('\u0000' !in sql) { "an SQL text has no NUL characters: take out the one at ${sql.indexOf('\u0000')}" }
        return using {
            if (libpq.PQsendQuery(handle, sql) == 0) throw connectionLost(libpq.PQerrorMessage(handle))
            try {
                lastResult()
            } finally {
                if (libpq.PQtransactionStatus(handle) == PQTRANS_ACTIVE) withContext(NonCancellable) { cancelQuery() }
            }
        }
    }

    /** Has the server send the notifications of [channel], for [notifications]. */
    suspend fun listen(channel: String) {
        query("LISTEN \"${channel.replace("\"", "\"\"")}\"")
    }

    /**
     * The notifications of all channels listened to, beginning with those that came in the course of queries. The
     * connection takes no query while this is collected. It does not end, but by a [SQLNonTransientConnectionException]
     * when the connection is lost.
     */
    fun notifications(): Flow<PgNotification> = flow {
        using {
            do {
                generateSequence { libpq.takeNotification(handle) }.forEach { emit(it) }
            } while (receive(Interest.READABLE))
            throw connectionLost(libpq.PQerrorMessage(handle))
        }
    }

    /**
     * Closes it, also if it is lost. Further calls do nothing.
     *
     * @throws IllegalStateException if it is in use
     */
    override fun close() {
        if (state.compareAndSet(State.FREE, State.CLOSED)) {
            libpq.PQfinish(handle)
        } else {
            check(state.get() == State.CLOSED) { "$this is in use: cancel that first" }
        }
    }

    private suspend fun finishConnect() {
        var polling = if (libpq.PQstatus(handle) == CONNECTION_BAD) PGRES_POLLING_FAILED else PGRES_POLLING_WRITING
        while (polling != PGRES_POLLING_OK) {
            when (polling) {
                PGRES_POLLING_READING -> poller.awaitReadable(libpq.PQsocket(handle))
                PGRES_POLLING_WRITING -> poller.awaitWritable(libpq.PQsocket(handle))
                else -> throw SQLNonTransientConnectionException(libpq.PQerrorMessage(handle).trim(), "08001")
            }
            polling = libpq.PQconnectPoll(handle)
        }
        libpq.PQsetnonblocking(handle, 1)
    }

    private inline fun <T> using(block: () -> T): T {
        check(state.compareAndSet(State.FREE, State.IN_USE)) {
            "$this is ${state.get()}: it does one thing at a time, and nothing when it is closed"
        }
        try {
            return block()
        } finally {
            state.set(State.FREE)
        }
    }

    /** Suspends until all that was sent is answered. */
    private suspend fun lastResult(): PgResult {
        // The server may stop reading until somebody reads what it has to say, so this does both.
        while (libpq.PQflush(handle) == 1 && receive(READABLE_OR_WRITABLE)) {}
        var last = PgResult(emptyList(), emptyList())
        var failure: SQLException? = null
        while (true) {
            val result = nextResult() ?: break
            try {
                last = libpq.take(result)
            } catch (e: SQLException) {
                // Why a connection is lost comes before that it is.
                failure = failure ?: e
            }
        }
        failure?.let { throw it }
        return last
    }

    private suspend fun nextResult(): Pointer? {
        while (libpq.PQisBusy(handle) == 1 && receive(Interest.READABLE)) {}
        // If the connection is lost, this does not wait, but tells so.
        return libpq.PQgetResult(handle)
    }

    /** Suspends until the socket is ready, and takes in what came. False if the connection is lost. */
    private suspend fun receive(interest: Interest): Boolean {
        val socket = libpq.PQsocket(handle)
        return socket >= 0 && (!poller.await(socket, interest).isReadable || libpq.PQconsumeInput(handle) == 1)
    }

    /**
     * Ends the query on the server. If the server cannot be asked to, or the poller has ended, the connection does not
     * become idle any more.
     */
    private suspend fun cancelQuery() {
        try {
            // A request that overtakes its query ends nothing, and nobody says so: it is repeated.
            while (requestCancel() && withTimeoutOrNull(CANCEL_AGAIN) { lastResult() } == null) {}
        } catch (e: SQLException) {
            // It has ended: as a rule this is 57014, query_canceled.
        } catch (e: IOException) {
            // The answer cannot be awaited.
        }
    }

    /** On a thread that may block, as PQcancel does while it connects to the server. */
    private suspend fun requestCancel(): Boolean =
        withContext(Dispatchers.IO) {
            val cancel = libpq.PQgetCancel(handle) ?: return@withContext false
            try {
                val message = ByteArray(256)
                libpq.PQcancel(cancel, message, message.size) == 1
            } finally {
                libpq.PQfreeCancel(cancel)
            }
        }

    override fun toString(): String = "PgConnection@${Integer.toHexString(hashCode())}"

    companion object {
        private val READABLE_OR_WRITABLE = Interest.READABLE.or(Interest.WRITABLE)
        private val CANCEL_AGAIN = 100.milliseconds

        /**
         * Connects to [url], a connection string or URI of libpq. If it is cancelled or fails, nothing is left open.
         *
         * Looking up a host name blocks: `hostaddr` avoids that, and a Unix socket needs none. The `connect_timeout` of
         * libpq does not apply here; `withTimeout` does.
         *
         * @throws SQLNonTransientConnectionException if that fails
         */
        suspend fun connect(poller: Poller, url: String): PgConnection {
            val handle =
                libpq.PQconnectStartParams(
                    arrayOf("dbname", "client_encoding", "fallback_application_name", null),
                    arrayOf(url, "UTF8", "epoll-coroutines", null),
                    expandDbname = 1,
                ) ?: throw OutOfMemoryError("PQconnectStartParams")
            val connection = PgConnection(poller, handle)
            try {
                connection.finishConnect()
                return connection
            } catch (e: Throwable) {
                connection.close()
                throw e
            }
        }
    }
}
