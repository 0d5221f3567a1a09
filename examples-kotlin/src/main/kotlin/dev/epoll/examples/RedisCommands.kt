package dev.epoll.examples

import java.nio.ByteBuffer

private const val MANY = Int.MAX_VALUE
private const val MAX_QUOTED = 128

/** What the server has seen so far. */
class RedisCounts {
    var connections = 0L
    var clients = 0
    var commands = 0L
}

/** What is known of one connection. */
class RedisClient {
    var name = ByteArray(0)
    var isLeaving = false
}

/** A command that cannot be done; the connection goes on. */
private class Refusal(message: String) : Exception(message, null, false, false)

private class Command(val name: String, val arguments: IntRange, val isGroup: Boolean, val run: Call.() -> Unit)

private class Call(val words: List<ByteArray>, val client: RedisClient, val replies: RespWriter) {
    fun key(index: Int = 1) = RedisStore.Key(words[index])

    fun keys() = (1 until words.size).asSequence().map { key(it) }

    fun text(index: Int) = words[index].text()

    fun integer(index: Int) = integer(words[index])

    fun ok() = replies.simple("OK")
}

/** The commands, which reply what Redis 7.0 does, to the word. */
class RedisCommands(private val store: RedisStore, private val counts: RedisCounts) {
    private val table: Map<String, Command> = buildMap {
        fun on(name: String, arguments: IntRange, isGroup: Boolean = false, run: Call.() -> Unit) =
            put(name, Command(name, arguments, isGroup, run))

        on("get", 1..1) { replies.bulk(store[key()]) }
        on("set", 2..MANY) { set() }
        on("mget", 1..MANY) {
            replies.array(words.size - 1)
            keys().forEach { replies.bulk(store[it]) }
        }
        on("mset", 2..MANY) {
            if (words.size % 2 == 0) throw wrongNumber("mset")
            for (i in 1 until words.size step 2) store.set(key(i), words[i + 1])
            ok()
        }
        on("incr", 1..1) { add(1) }
        on("decr", 1..1) { add(-1) }
        on("del", 1..MANY) { replies.integer(keys().count { store.remove(it) }.toLong()) }
        on("exists", 1..MANY) { replies.integer(keys().count { it in store }.toLong()) }
        on("expire", 2..MANY) { expire() }
        on("ttl", 1..1) { replies.integer(millisLeft().let { if (it < 0) it else (it + 500) / 1000 }) }
        on("pttl", 1..1) { replies.integer(millisLeft()) }
        on("dbsize", 0..0) { replies.integer(store.size.toLong()) }
        for (name in listOf("flushall", "flushdb")) {
            on(name, 0..1) {
                store.clear()
                ok()
            }
        }

        on("ping", 0..1) { if (words.size == 1) replies.simple("PONG") else replies.bulk(words[1]) }
        on("echo", 1..1) { replies.bulk(words[1]) }
        on("select", 1..1) { if (integer(1) == 0L) ok() else throw Refusal("DB index is out of range") }
        on("info", 0..MANY) { replies.bulk(info().toByteArray()) }
        on("quit", 0..MANY) {
            ok()
            client.isLeaving = true
        }
        on("client", 1..MANY, isGroup = true) { throw unknownSubcommand(words) }
        on("client|getname", 1..1) { replies.bulk(client.name.takeIf { it.isNotEmpty() }) }
        on("client|setname", 2..2) { setName() }
        on("config", 1..MANY, isGroup = true) { throw unknownSubcommand(words) }
        on("config|get", 2..MANY) {
            val settings = mapOf("save" to "", "appendonly" to "no")
            val found = words.drop(2).map { it.text().lowercase() }.distinct().filter { it in settings }
            replies.array(2 * found.size)
            for (text in found.flatMap { listOf(it, settings.getValue(it)) }) replies.bulk(text.toByteArray())
        }
        // Nothing is told about the commands; clients that ask, as redis-cli for its hints, go on without.
        on("command", 0..MANY, isGroup = true) {
            if (words.size == 1) replies.array(0) else throw unknownSubcommand(words)
        }
        on("command|docs", 1..MANY) { replies.array(0) }
    }

    /** Runs the command of this name and arguments, and adds its reply to [replies]. */
    fun run(words: List<ByteArray>, client: RedisClient, replies: RespWriter) {
        counts.commands++
        try {
            val command = find(words)
            if (words.size - 1 !in command.arguments) throw wrongNumber(command.name)
            command.run(Call(words, client, replies))
        } catch (e: Refusal) {
            replies.error("ERR ${e.message}")
        }
    }

    private fun find(words: List<ByteArray>): Command {
        val name = words[0].text().lowercase()
        val command = table[name] ?: throw unknownCommand(words)
        if (!command.isGroup || words.size == 1) return command
        return table["$name|${words[1].text().lowercase()}"] ?: command
    }

    private fun Call.set() {
        var unitMillis = 0L
        var amountAt = 0
        var onlyNew = false
        var onlyOld = false
        var i = 3
        while (i < words.size) {
            val option = text(i++).uppercase()
            when {
                option == "NX" && !onlyOld -> onlyNew = true
                option == "XX" && !onlyNew -> onlyOld = true
                (option == "EX" || option == "PX") && unitMillis == 0L && i < words.size -> {
                    unitMillis = if (option == "EX") 1000 else 1
                    amountAt = i++
                }
                else -> throw Refusal("syntax error")
            }
        }
        val deadline =
            if (amountAt == 0) RedisStore.NEVER else deadline("set", integer(amountAt), unitMillis, least = 1)
        if ((onlyNew && key() in store) || (onlyOld && key() !in store)) return replies.bulk(null)
        store.set(key(), words[2], deadline)
        ok()
    }

    private fun Call.add(difference: Long) {
        val value = store[key()]?.let { integer(it) } ?: 0
        val sum =
            try {
                Math.addExact(value, difference)
            } catch (_: ArithmeticException) {
                throw Refusal("increment or decrement would overflow")
            }
        store.update(key(), sum.toString().toByteArray())
        replies.integer(sum)
    }

    private fun Call.expire() {
        if (words.size > 3) throw Refusal("Unsupported option ${text(3)}")
        val deadline = deadline("expire", integer(2), unitMillis = 1000, least = Long.MIN_VALUE)
        val value = store[key()] ?: return replies.integer(0)
        if (deadline > store.nowMillis()) store.set(key(), value, deadline) else store.remove(key())
        replies.integer(1)
    }

    private fun deadline(command: String, amount: Long, unitMillis: Long, least: Long): Long =
        try {
            if (amount < least) throw ArithmeticException()
            Math.addExact(store.nowMillis(), Math.multiplyExact(amount, unitMillis))
        } catch (_: ArithmeticException) {
            throw Refusal("invalid expire time in '$command' command")
        }

    private fun Call.millisLeft(): Long =
        when (val deadline = store.deadlineMillis(key())) {
            null -> -2
            RedisStore.NEVER -> -1
            else -> deadline - store.nowMillis()
        }

    private fun Call.setName() {
        if (text(2).any { it !in '!'..'~' }) {
            throw Refusal("Client names cannot contain spaces, newlines or special characters.")
        }
        client.name = words[2]
        ok()
    }

    private fun info() = buildString {
        append("# Clients\r\nconnected_clients:${counts.clients}\r\n\r\n")
        append("# Stats\r\ntotal_connections_received:${counts.connections}\r\n")
        append("total_commands_processed:${counts.commands}\r\n\r\n")
        append("# Keyspace\r\n")
        if (store.size > 0) append("db0:keys=${store.size},expires=${store.expiringSize},avg_ttl=0\r\n")
    }
}

private fun integer(word: ByteArray): Long =
    decimal(ByteBuffer.wrap(word)) ?: throw Refusal("value is not an integer or out of range")

private fun wrongNumber(name: String) = Refusal("wrong number of arguments for '$name' command")

private fun unknownSubcommand(words: List<ByteArray>): Refusal {
    val (name, subcommand) = words.map { it.text() }
    return Refusal("unknown subcommand '${subcommand.take(MAX_QUOTED)}'. Try ${name.uppercase()} HELP.")
}

private fun unknownCommand(words: List<ByteArray>): Refusal {
    val arguments = StringBuilder()
    for (word in words.asSequence().drop(1).takeWhile { arguments.length < MAX_QUOTED }) {
        arguments.append("'${word.text().take(MAX_QUOTED - arguments.length)}' ")
    }
    return Refusal("unknown command '${words[0].text().take(MAX_QUOTED)}', with args beginning with: $arguments")
}
