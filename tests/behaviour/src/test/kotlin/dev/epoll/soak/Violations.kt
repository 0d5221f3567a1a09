package dev.epoll.soak

import java.util.concurrent.ConcurrentLinkedQueue

/** Something that must not be. */
class Violation(override val message: String) : Exception(message)

/** There is a violation, and so nothing more to find out. */
class GivenUp(what: String) : Exception("given up: $what")

/** What went wrong; [told] to somebody as soon as it is found. */
class Violations(private val told: (String) -> Unit) {
    private val found = ConcurrentLinkedQueue<String>()

    val all: List<String>
        get() = found.toList()

    fun isEmpty() = found.isEmpty()

    fun add(what: String) {
        if (found.size >= MOST) return
        found += what
        told(what)
    }

    private companion object {
        const val MOST = 20
    }
}
