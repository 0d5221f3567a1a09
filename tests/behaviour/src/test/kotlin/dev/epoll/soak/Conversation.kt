package dev.epoll.soak

import java.io.IOException
import java.io.InputStream
import java.io.PrintStream
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.concurrent.thread

/**
 * What the two processes of a soak say to each other: lines of a word, and what belongs to it. In each cycle:
 * ```
 * the server says        the clients say
 * CYCLE millis port...                       they live so long, and then wait, each with one connection
 *                        IDLE                they do
 * CHECK                                      both sides look at what is open
 *                        CHECKED
 * CLOSE                                      they close what they have
 *                        CLOSED              they have nothing open any more
 * ```
 *
 * Whatever the clients say with [SAY], or without a word of these, is for people.
 */
enum class Word {
    CYCLE,
    IDLE,
    CHECK,
    CHECKED,
    CLOSE,
    CLOSED,
    SAY,
    VIOLATION,
}

/** One process's end of the conversation. A thread of its own listens, and calls [aside] and [atEnd]. */
class Conversation(
    input: InputStream,
    private val output: PrintStream,
    private val aside: (Word, String) -> Unit = { _, _ -> },
    private val atEnd: () -> Unit,
) {
    private val heard = ConcurrentLinkedQueue<Pair<Word, String>>()

    init {
        thread(name = "soak-listens", isDaemon = true) {
            try {
                input.bufferedReader().forEachLine { listen(it) }
            } catch (_: IOException) {
                // This process has closed it.
            }
            atEnd()
        }
    }

    private fun listen(line: String) {
        val word = Word.entries.find { it.name == line.substringBefore(' ') }
        val rest = if (word == null) line else line.substringAfter(' ', "").replace(LINE_BREAK, '\n')
        when (word) {
            null -> aside(Word.SAY, rest)
            Word.SAY,
            Word.VIOLATION -> aside(word, rest)
            else -> heard += word to rest
        }
    }

    /** If the other is gone, this says nothing: [atEnd] has been called, or will be. */
    fun tell(word: Word, rest: String = "") = output.println("$word $rest".replace('\n', LINE_BREAK))

    /** What belongs to [word] if it has come, null if nothing has. */
    fun heard(word: Word): String? {
        val (came, rest) = heard.poll() ?: return null
        if (came != word) throw Violation("the other process says $came, not $word")
        return rest
    }

    private companion object {
        const val LINE_BREAK = '\u001e'
    }
}
