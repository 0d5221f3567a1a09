package dev.epoll.examples

import java.sql.SQLException
import java.sql.SQLNonTransientConnectionException
import jnr.ffi.LibraryLoader
import jnr.ffi.Pointer
import jnr.ffi.Runtime
import jnr.ffi.Struct
import jnr.ffi.annotations.Encoding

/**
 * Functions of libpq by their C names: https://www.postgresql.org/docs/current/libpq-async.html. Those of one `PGconn`
 * must not run at the same time, except [PQcancel].
 */
@Encoding("UTF-8")
interface LibPq {
    fun PQconnectStartParams(keywords: Array<String?>, values: Array<String?>, expandDbname: Int): Pointer?

    fun PQconnectPoll(connection: Pointer): Int

    fun PQstatus(connection: Pointer): Int

    fun PQtransactionStatus(connection: Pointer): Int

    fun PQsocket(connection: Pointer): Int

    fun PQsetnonblocking(connection: Pointer, flag: Int): Int

    fun PQerrorMessage(connection: Pointer): String

    fun PQfinish(connection: Pointer)

    fun PQsendQuery(connection: Pointer, sql: String): Int

    fun PQflush(connection: Pointer): Int

    fun PQconsumeInput(connection: Pointer): Int

    fun PQisBusy(connection: Pointer): Int

    fun PQgetResult(connection: Pointer): Pointer?

    fun PQresultStatus(result: Pointer): Int

    fun PQresultErrorMessage(result: Pointer): String

    fun PQresultErrorField(result: Pointer, field: Int): String?

    fun PQnfields(result: Pointer): Int

    fun PQfname(result: Pointer, column: Int): String

    fun PQntuples(result: Pointer): Int

    fun PQgetisnull(result: Pointer, row: Int, column: Int): Int

    fun PQgetvalue(result: Pointer, row: Int, column: Int): String

    fun PQclear(result: Pointer)

    fun PQnotifies(connection: Pointer): Pointer?

    fun PQfreemem(memory: Pointer)

    fun PQgetCancel(connection: Pointer): Pointer?

    fun PQcancel(cancel: Pointer, message: ByteArray, size: Int): Int

    fun PQfreeCancel(cancel: Pointer)
}

/** By its soname, for `libpq.so` comes only with what C programs are built from. Its first use may fail to link. */
val libpq: LibPq by lazy { LibraryLoader.create(LibPq::class.java).failImmediately().load("libpq.so.5") }

const val CONNECTION_BAD = 1

const val PGRES_POLLING_FAILED = 0
const val PGRES_POLLING_READING = 1
const val PGRES_POLLING_WRITING = 2
const val PGRES_POLLING_OK = 3

const val PQTRANS_IDLE = 0
const val PQTRANS_ACTIVE = 1

private const val PGRES_EMPTY_QUERY = 0
private const val PGRES_COMMAND_OK = 1
private const val PGRES_TUPLES_OK = 2
private const val PGRES_COPY_OUT = 3
private const val PGRES_COPY_IN = 4
private const val PGRES_COPY_BOTH = 8

private const val PG_DIAG_SQLSTATE = 'C'.code

/** What a statement returned, as text. A command that returns nothing has no columns. */
data class PgResult(val columns: List<String>, val rows: List<List<String?>>)

data class PgNotification(val channel: String, val payload: String, val processId: Int)

private class PgNotify(runtime: Runtime) : Struct(runtime) {
    val channel = UTF8StringRef()
    val processId = Signed32()
    val payload = UTF8StringRef()
}

/** Copies a `PGresult`, and frees it; or throws the error that it is. */
fun LibPq.take(result: Pointer): PgResult =
    try {
        when (PQresultStatus(result)) {
            PGRES_EMPTY_QUERY,
            PGRES_COMMAND_OK,
            PGRES_TUPLES_OK -> copy(result)
            PGRES_COPY_OUT,
            PGRES_COPY_IN,
            PGRES_COPY_BOTH -> throw UnsupportedOperationException("COPY from or to the client")
            else -> throw failure(PQresultErrorMessage(result), PQresultErrorField(result, PG_DIAG_SQLSTATE))
        }
    } finally {
        PQclear(result)
    }

private fun LibPq.copy(result: Pointer): PgResult {
    val columns = List(PQnfields(result)) { PQfname(result, it) }
    val rows =
        List(PQntuples(result)) { row ->
            columns.indices.map { if (PQgetisnull(result, row, it) == 1) null else PQgetvalue(result, row, it) }
        }
    return PgResult(columns, rows)
}

/** What libpq finds out by itself has no SQLSTATE: the connection is lost. */
private fun failure(message: String, sqlState: String?): SQLException =
    if (sqlState != null) SQLException(message.trim(), sqlState) else connectionLost(message)

fun connectionLost(message: String) = SQLNonTransientConnectionException(message.trim(), "08006")

/** The next of the notifications that libpq has read, or null. */
fun LibPq.takeNotification(connection: Pointer): PgNotification? {
    val memory = PQnotifies(connection) ?: return null
    try {
        val notify = PgNotify(memory.runtime)
        notify.useMemory(memory)
        return PgNotification(notify.channel.get(), notify.payload.get(), notify.processId.get())
    } finally {
        PQfreemem(memory)
    }
}
