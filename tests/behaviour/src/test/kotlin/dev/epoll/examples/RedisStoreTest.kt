package dev.epoll.examples

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class RedisStoreTest :
    FunSpec({
        test("a key is gone once its deadline has passed, and not before") {
            var now = 0L
            val store = RedisStore { now }
            store.set(key("a"), bytes("1"), deadlineMillis = 100)
            now = 100
            store[key("a")] shouldBe bytes("1")
            now = 101
            store[key("a")] shouldBe null
            store.size shouldBe 0
            store.expiringSize shouldBe 0
        }

        test("setting a value drops its deadline, updating it does not") {
            var now = 0L
            val store = RedisStore { now }
            store.set(key("set"), bytes("1"), deadlineMillis = 100)
            store.set(key("set"), bytes("2"))
            store.set(key("updated"), bytes("1"), deadlineMillis = 100)
            store.update(key("updated"), bytes("2"))
            store[key("updated")] shouldBe bytes("2")
            now = 101
            store[key("set")] shouldBe bytes("2")
            store[key("updated")] shouldBe null
        }

        test("keys of equal hash codes are different keys") {
            val store = RedisStore()
            val names =
                (0 until 1024).map { n -> (0 until 10).joinToString("") { if (n shr it and 1 == 0) "Aa" else "BB" } }
            names.map { key(it).hashCode() }.distinct().size shouldBe 1
            for (name in names) store.set(key(name), bytes(name))
            for (name in names) store[key(name)] shouldBe bytes(name)
            store.size shouldBe names.size
        }

        test("it always holds what a plain map with deadlines would") {
            val seed = Random.nextLong()
            val random = Random(seed)
            var now = 0L
            val store = RedisStore { now }
            val model = HashMap<String, Pair<String, Long>>()
            withClue("seed $seed") {
                repeat(20_000) {
                    val name = "${random.nextInt(20)}"
                    val value = "${random.nextInt()}"
                    when (random.nextInt(6)) {
                        0 -> model[name] = (value to RedisStore.NEVER).also { store.set(key(name), bytes(value)) }
                        1 -> {
                            val deadline = now + random.nextInt(20)
                            store.set(key(name), bytes(value), deadline)
                            model[name] = value to deadline
                        }
                        2 -> {
                            store.update(key(name), bytes(value))
                            model[name] = value to (model[name]?.second ?: RedisStore.NEVER)
                        }
                        3 -> store.remove(key(name)) shouldBe (model.remove(name) != null)
                        4 -> store.removeExpired(random.nextInt(5))
                        else -> now++
                    }
                    model.values.removeIf { it.second < now }
                    store[key(name)]?.decodeToString() shouldBe model[name]?.first
                    store.deadlineMillis(key(name)) shouldBe model[name]?.second
                }
                store.removeExpired(Int.MAX_VALUE)
                store.size shouldBe model.size
                store.expiringSize shouldBe model.values.count { it.second != RedisStore.NEVER }
            }
        }
    })

private fun key(name: String) = RedisStore.Key(bytes(name))

private fun bytes(text: String) = text.toByteArray()
