package dev.epoll.soak

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.LongAdder

/** Something that must not be. */
class Violation(override val message: String) : Exception(message)

/** What the clients have done, and what went wrong. */
class Tally {
    val connects = LongAdder()
    val exchanges = LongAdder()
    val bytes = LongAdder()
    val timeouts = LongAdder()
    val cancels = LongAdder()
    val ends = LongAdder()
    val signals = LongAdder()
    private val found = ConcurrentLinkedQueue<String>()

    val violations: List<String>
        get() = found.toList()

    fun violation(what: String) {
        if (found.size < MOST_VIOLATIONS) found += what
    }

    override fun toString() =
        "$connects connects, $exchanges exchanges of ${bytes.sum() shr 20} MB, $timeouts timeouts, $cancels cancels, " +
            "$ends ends, $signals signals"

    private companion object {
        const val MOST_VIOLATIONS = 20
    }
}
