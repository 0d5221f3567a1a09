package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.arguments.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.*
import dev.epoll.fd.*
import java.io.IOException
import java.nio.ByteBuffer
import kotlin.concurrent.thread
import kotlinx.coroutines.*
import kotlinx.coroutines.selects.select

private const val CTRL_BRACKET = 0x1d.toByte()

/** Connects a keyboard and a screen with a serial line. */
class Serial : CliktCommand("serial") {
    private val path by argument("line", help = "the line, for example /dev/ttyUSB0").path(mustExist = true)
    private val baud by option(help = "bits per second; if not given, as the line has it").int()

    override fun help(context: Context) =
        "Sends what is typed to a serial line, and shows what comes from it, until Ctrl-] or the end of either."

    override fun run() =
        try {
            Poller.open().use { poller ->
                Terminal.open(poller, path).use { line ->
                    keyboard(poller).use { keyboard -> echo(connect(keyboard, line)) }
                }
            }
        } catch (e: IOException) {
            throw PrintMessage("${e::class.simpleName}: ${e.message}", statusCode = 1, printError = true)
        }

    private fun keyboard(poller: Poller): ByteStream =
        if (Terminal.isTerminal(Fds.STDIN)) Terminal.borrow(poller, Fds.STDIN) else RawFd.borrow(poller, Fds.STDIN)

    private fun connect(keyboard: ByteStream, line: Terminal): String =
        rawMode(line).evenIfKilled().use {
            echo("connected with $path at ${line.baudRate()} baud")
            (keyboard as? Terminal)?.rawMode()?.evenIfKilled().use { runBlocking { talk(keyboard, line) } }
        }

    private fun rawMode(line: Terminal): Terminal.Restorer =
        try {
            baud?.let { line.rawMode(it) } ?: line.rawMode()
        } catch (e: IllegalArgumentException) {
            throw UsageError("${e.message}")
        }

    /** Terminals keep their settings when a program ends, be it by SIGINT or SIGTERM. */
    private fun Terminal.Restorer.evenIfKilled() = also {
        Runtime.getRuntime().addShutdownHook(thread(start = false) { close() })
    }

    /** Returns why it is over. */
    private suspend fun talk(keyboard: ByteStream, line: Terminal): String = coroutineScope {
        val ends = listOf(async { send(keyboard, line) }, async(Dispatchers.IO) { show(line) })
        select { ends.forEach { end -> end.onAwait { it } } }.also { coroutineContext.cancelChildren() }
    }

    private suspend fun send(keyboard: ByteStream, line: Terminal): String {
        val keys = ByteBuffer.allocate(4096)
        while (keyboard.read(keys) >= 0) {
            keys.flip()
            val last = if (keyboard is Terminal) keys.array().indexOf(CTRL_BRACKET) else -1
            if (last in 0 until keys.limit()) {
                line.writeFully(keys.limit(last))
                return "ended by Ctrl-]"
            }
            line.writeFully(keys)
            keys.clear()
        }
        return "end of input"
    }

    private suspend fun show(line: Terminal): String {
        val shown = ByteBuffer.allocate(4096)
        while (line.read(shown) >= 0) {
            System.out.write(shown.array(), 0, shown.position())
            System.out.flush()
            shown.clear()
        }
        return "the line has hung up"
    }
}

fun main(args: Array<String>) = Serial().main(args)
