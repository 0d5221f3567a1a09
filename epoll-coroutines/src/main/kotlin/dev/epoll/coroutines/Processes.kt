package dev.epoll.coroutines

import dev.epoll.Poller
import dev.epoll.fd.ChildProcess
import dev.epoll.fd.PidFd
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Suspends until the process has exited; returns at once if it has. Cancellable; the process goes on then.
 *
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 */
public suspend fun PidFd.awaitExit() {
    registration().awaitReadable()
}

/**
 * Suspends until the child has exited; returns at once if it has. Cancellable; the child goes on then. It may have been
 * closed: then this waits for the end of the child that was killed.
 *
 * @return the exit code, which is 128 and its number if a signal ended the child
 */
public suspend fun ChildProcess.awaitExit(): Int = process().onExit().await().exitValue()

/**
 * Asks the child to end, with SIGTERM, suspends until it has exited, and kills it with SIGKILL if it still runs after
 * [grace]. If it is cancelled while it waits, the child may still run.
 *
 * @return the exit code, 143 if SIGTERM ended the child and 137 if SIGKILL did
 */
public suspend fun ChildProcess.terminate(grace: Duration): Int {
    process().destroy()
    withTimeoutOrNull(grace) { awaitExit() }
    process().destroyForcibly()
    return awaitExit()
}

/**
 * Starts [builder]'s program, runs [block] with it, and closes it: however [block] ends, by cancellation too, the child
 * is killed if it still runs, and has been reaped when this function returns. Which streams are pipes: [ChildProcess].
 *
 * What the child started itself is not killed: `child.process().descendants()` has it, as long as the child runs.
 *
 * @return what [block] returns
 * @throws java.io.IOException if the program cannot be started
 */
public suspend fun <T> Poller.withProcess(builder: ProcessBuilder, block: suspend (ChildProcess) -> T): T {
    // Not the result of withContext, which is dropped if this coroutine is cancelled meanwhile.
    var started: ChildProcess? = null
    try {
        val child = withContext(Dispatchers.IO) { ChildProcess.start(this@withProcess, builder).also { started = it } }
        return block(child)
    } finally {
        started?.let {
            it.close()
            withContext(NonCancellable) { it.awaitExit() }
        }
    }
}
