package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.arguments.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.SyscallException
import dev.epoll.coroutines.*
import dev.epoll.fd.ByteSource
import dev.epoll.fd.ChildProcess
import dev.epoll.fd.RawFd
import java.io.FileDescriptor
import java.io.FileOutputStream
import java.io.IOException
import java.lang.ProcessBuilder.Redirect.INHERIT
import java.nio.ByteBuffer
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.*
import kotlinx.coroutines.selects.select

private const val TIMED_OUT = 124
private const val CANNOT_RUN = 127

/** Runs a command with a time limit. */
class Run : CliktCommand("run") {
    init {
        context { allowInterspersedArgs = false }
    }

    private val timeout by seconds("seconds that it may run; without, no limit").default(Duration.INFINITE)
    private val grace by seconds("seconds from SIGTERM to SIGKILL").default(1.seconds)
    private val command by argument(help = "program and arguments, after --").multiple(required = true)

    override fun help(context: Context) =
        "Runs a command until it has exited and its outputs have ended, and ends with its exit code. The timeout, " +
            "SIGINT and SIGTERM stop it, with its descendants as far as they are known: not those whose parent has " +
            "ended. At the timeout the exit code is $TIMED_OUT."

    override fun run() {
        val interrupted = Job()
        val ended = Job()
        val hook =
            thread(start = false) {
                interrupted.complete()
                runBlocking { ended.join() }
            }
        Runtime.getRuntime().addShutdownHook(hook)
        val code =
            try {
                runBlocking { Poller.open().use { run(it, interrupted) } }
            } catch (e: IOException) {
                echo(e.message, err = true)
                CANNOT_RUN
            } finally {
                ended.complete()
            }
        // Interrupted, the JVM ends itself, and an exit would wait for that.
        if (code != null) throw ProgramResult(code)
    }

    /** The exit code, or null if it was [interrupted]. */
    private suspend fun run(poller: Poller, interrupted: Job): Int? =
        poller.withProcess(ProcessBuilder(command).redirectInput(INHERIT)) { child ->
            coroutineScope {
                val copies = launch {
                    launch { copy(child.stdout(), output(poller, FileDescriptor.out, 1)) }
                    launch { copy(child.stderr(), output(poller, FileDescriptor.err, 2)) }
                }
                val end = async {
                    copies.join()
                    child.awaitExit()
                }
                val late = launch { delay(timeout) }
                val code = select {
                    end.onAwait { it }
                    interrupted.onJoin { null.also { stop(child, "interrupted") } }
                    late.onJoin { TIMED_OUT.also { stop(child, "timed out after $timeout") } }
                }
                // What it wrote last is still on its way; who escaped may hold its outputs open for ever.
                withTimeoutOrNull(grace) { copies.join() }
                coroutineContext.cancelChildren()
                code
            }
        }

    private suspend fun stop(child: ChildProcess, why: String) {
        val descendants = child.process().descendants().toList()
        echo("run: $why, stopping ${command.first()} and ${descendants.size} descendants", err = true)
        descendants.forEach { it.destroy() }
        child.terminate(grace)
        descendants.forEach { it.destroyForcibly() }
    }

    /** Until the end of [source], or until nobody reads what it is written to: then the command is told so, too. */
    private suspend fun copy(source: ByteSource, write: suspend (ByteBuffer) -> Unit) = source.use {
        val buffer = ByteBuffer.allocate(16 * 1024)
        try {
            while (it.read(buffer) >= 0) {
                write(buffer.flip())
                buffer.clear()
            }
        } catch (e: SyscallException) {
            if (e.errnoName() != "EPIPE") throw e
        }
    }

    private fun output(poller: Poller, file: FileDescriptor, fd: Int): suspend (ByteBuffer) -> Unit =
        try {
            val sink = RawFd.borrow(poller, fd)
            sink::writeFully
        } catch (e: SyscallException) {
            // A regular file cannot be awaited and need not be: writing it never waits.
            if (e.errnoName() != "EPERM") throw e
            val channel = FileOutputStream(file).channel
            { buffer -> channel.write(buffer) }
        }

    private fun seconds(help: String) =
        option(help = help).convert {
            it.toDoubleOrNull()?.takeIf { number -> number >= 0 }?.seconds ?: fail("must be a number, 0 or more")
        }
}

fun main(args: Array<String>) = Run().main(args)
