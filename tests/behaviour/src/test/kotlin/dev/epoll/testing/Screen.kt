package dev.epoll.testing

import dev.epoll.coroutines.read
import dev.epoll.coroutines.writeFully
import dev.epoll.fd.Pty
import java.nio.ByteBuffer

/** A person at a terminal: types, and looks at what is shown. */
class Screen(private val pty: Pty) {
    private val shown = StringBuilder()

    suspend fun type(keys: String) = pty.writeFully(ByteBuffer.wrap(keys.toByteArray()))

    /** All that was shown up to and with [text], which it waits for, since the last call. */
    suspend fun until(text: String): String {
        while (text !in shown) {
            val more = read() ?: throw AssertionError("the terminal was left without '$text', showing: $shown")
            shown.append(more)
        }
        val end = shown.indexOf(text) + text.length
        return shown.substring(0, end).also { shown.delete(0, end) }
    }

    /** What else was shown until every program has left the terminal. */
    suspend fun rest(): String {
        while (true) shown.append(read() ?: return shown.toString())
    }

    private suspend fun read(): String? {
        val buffer = ByteBuffer.allocate(4096)
        val count = pty.read(buffer)
        return if (count < 0) null else String(buffer.array(), 0, count)
    }

    /** Runs [script] by sh with the terminal as its controlling one, and the signals as a login has them. */
    fun run(script: String): Process =
        ProcessBuilder("setsid", "env", "--default-signal", "sh", "-c", "exec <>${pty.path()} >&0 2>&0; $script")
            .apply { environment().putAll(mapOf("TERM" to "vt100", "LESS" to "", "LESSHISTFILE" to "-")) }
            .start()
}
