package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.SyscallException
import dev.epoll.coroutines.read
import dev.epoll.fd.ByteSource
import dev.epoll.fd.RawFd
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*

/** Reads lines from standard input, and stops waiting for them when the time is over. */
class Stdin : CliktCommand("stdin") {
    private val timeout by
        option(help = "seconds to wait for the end of the input").double().restrictTo(min = 0.0).default(10.0).check(
            "must be a number"
        ) {
            !it.isNaN()
        }

    override fun help(context: Context) = "Prints the lines of standard input, until its end or the timeout."

    override fun run() = runBlocking {
        Poller.open().use { poller ->
            var count = 0
            val ended =
                withTimeoutOrNull(timeout.seconds) {
                    lines(poller).collect { echo("line ${++count}: $it") }
                    "end of input"
                }
            echo("${ended ?: "stopped waiting after $timeout s"}, $count lines")
        }
    }

    private fun lines(poller: Poller): Flow<String> =
        try {
            lines(RawFd.borrow(poller, 0))
        } catch (e: SyscallException) {
            // A regular file cannot be awaited and need not be: reading it never waits.
            if (e.errnoName() != "EPERM") throw e
            System.`in`.bufferedReader().lineSequence().asFlow().flowOn(Dispatchers.IO)
        }

    private fun lines(source: ByteSource): Flow<String> = flow {
        source.use {
            val line = ByteArrayOutputStream()
            val buffer = ByteBuffer.allocate(4096)
            while (it.read(buffer) >= 0) {
                buffer.flip()
                while (buffer.hasRemaining()) {
                    val byte = buffer.get().toInt()
                    if (byte != '\n'.code) {
                        line.write(byte)
                    } else {
                        emit(line.toString(Charsets.UTF_8))
                        line.reset()
                    }
                }
                buffer.clear()
            }
            if (line.size() > 0) emit(line.toString(Charsets.UTF_8))
        }
    }
}

fun main(args: Array<String>) = Stdin().main(args)
