package dev.epoll.examples

import dev.epoll.Poller
import java.io.Closeable
import java.util.concurrent.ConcurrentLinkedDeque
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit

/** Up to [size] connections, opened as they are needed, and replaced when they are lost. */
class PgPool(private val poller: Poller, private val url: String, size: Int) : Closeable {
    private val permits = Semaphore(size)
    private val idle = ConcurrentLinkedDeque<PgConnection>()

    /** Suspends until a connection is free, and lends it to [block], which must end the transactions that it begins. */
    suspend fun <T> withConnection(block: suspend (PgConnection) -> T): T = permits.withPermit {
        val connection = idle.poll() ?: PgConnection.connect(poller, url)
        try {
            block(connection)
        } finally {
            if (connection.isIdle) idle.push(connection) else connection.close()
        }
    }

    /** Closes the connections, all of which must have been given back. */
    override fun close() {
        generateSequence { idle.poll() }.forEach { it.close() }
    }
}
