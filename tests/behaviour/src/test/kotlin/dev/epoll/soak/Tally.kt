package dev.epoll.soak

import java.util.concurrent.atomic.LongAdder

/** What the clients have done. */
class Tally {
    val connects = LongAdder()
    val exchanges = LongAdder()
    val bytes = LongAdder()
    val timeouts = LongAdder()
    val cancels = LongAdder()
    val ends = LongAdder()

    override fun toString() =
        "$connects connects, $exchanges exchanges of ${bytes.sum() shr 20} MB, $timeouts timeouts, $cancels cancels, " +
            "$ends ends"
}
