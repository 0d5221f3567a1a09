package dev.epoll.examples

import java.util.TreeSet

/**
 * Keys, their values, and when they expire. Values are not copied, so nobody may change them.
 *
 * Thread: one, as everything of this server.
 *
 * @param nowMillis a clock that never goes back
 */
class RedisStore(val nowMillis: () -> Long = { System.nanoTime() / 1_000_000 }) {
    /** Bytes by their content. In order, so that a HashMap stays fast when a peer chooses keys of equal hash codes. */
    class Key(val bytes: ByteArray) : Comparable<Key> {
        override fun equals(other: Any?) = other is Key && bytes.contentEquals(other.bytes)

        override fun hashCode() = bytes.contentHashCode()

        override fun compareTo(other: Key) = java.util.Arrays.compare(bytes, other.bytes)
    }

    private class Entry(val key: Key, var value: ByteArray, val deadlineMillis: Long)

    private val entries = HashMap<Key, Entry>()

    /** Invariant: those of [entries] that have a deadline. */
    private val expiring = TreeSet(compareBy<Entry> { it.deadlineMillis }.thenBy { it.key })

    /** How many keys there are, with those that have expired since [removeExpired]. */
    val size: Int
        get() = entries.size

    /** How many of them have a deadline. */
    val expiringSize: Int
        get() = expiring.size

    operator fun get(key: Key): ByteArray? = find(key)?.value

    operator fun contains(key: Key): Boolean = find(key) != null

    /** When [key] expires, [NEVER], or null if there is no such key. */
    fun deadlineMillis(key: Key): Long? = find(key)?.deadlineMillis

    /** Sets a value that expires once [deadlineMillis] has passed. */
    fun set(key: Key, value: ByteArray, deadlineMillis: Long = NEVER) {
        val entry = Entry(key, value, deadlineMillis)
        entries.put(key, entry)?.let { expiring.remove(it) }
        if (deadlineMillis != NEVER) expiring.add(entry)
    }

    /** Sets a value; when it expires stays as it was. */
    fun update(key: Key, value: ByteArray) {
        find(key)?.let { it.value = value } ?: set(key, value)
    }

    /** Whether there was such a key. */
    fun remove(key: Key): Boolean = find(key)?.also { drop(it) } != null

    fun clear() {
        entries.clear()
        expiring.clear()
    }

    /** Removes up to [limit] of the keys that have expired, and returns how many. */
    fun removeExpired(limit: Int): Int {
        val now = nowMillis()
        var removed = 0
        while (removed < limit && expiring.isNotEmpty() && expiring.first().deadlineMillis < now) {
            drop(expiring.first())
            removed++
        }
        return removed
    }

    private fun find(key: Key): Entry? {
        val entry = entries[key] ?: return null
        // Not at the deadline: the clock's millisecond has begun before the one that was asked for is over.
        if (entry.deadlineMillis == NEVER || entry.deadlineMillis >= nowMillis()) return entry
        drop(entry)
        return null
    }

    private fun drop(entry: Entry) {
        entries.remove(entry.key)
        expiring.remove(entry)
    }

    companion object {
        const val NEVER: Long = Long.MAX_VALUE
    }
}
