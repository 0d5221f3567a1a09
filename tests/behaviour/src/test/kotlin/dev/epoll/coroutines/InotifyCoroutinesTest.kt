package dev.epoll.coroutines

import dev.epoll.fd.Inotify
import dev.epoll.fd.InotifyEvent
import dev.epoll.fd.InotifyMask.CREATE
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import java.nio.channels.ClosedChannelException
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.io.path.createFile
import kotlin.random.Random
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch

class InotifyCoroutinesTest :
    FunSpec({
        test("events come on every dispatcher, as they happen and in order") {
            withPoller {
                for ((name, dispatcher) in dispatchers()) {
                    withClue(name) {
                        val folder = tempdir().toPath()
                        val inotify = watching(folder)
                        val collected = async(dispatcher) { inotify.events().take(30).toList() }
                        val files = List(30) { folder.resolve("f$it").createFile() }
                        collected.await().map { it.path() } shouldBe files
                    }
                }
            }
        }

        test("a collector that takes only some leaves the rest to the next") {
            withPoller {
                val folder = tempdir().toPath()
                val inotify = watching(folder)
                val files = List(10) { folder.resolve("f$it").createFile() }
                inotify.events().first().path() shouldBe files[0]
                inotify.take().path() shouldBe files[1]
                inotify.events().take(8).toList().map { it.path() } shouldBe files.drop(2)
            }
        }

        test("collectors that are cancelled at any moment lose no event") {
            withPoller {
                val folder = tempdir().toPath()
                val inotify = watching(folder)
                val files = List(4000) { folder.resolve("f$it").createFile() }
                val events = ConcurrentLinkedQueue<InotifyEvent>()
                repeat(400) {
                    val collector = launch(Dispatchers.Default) { inotify.events().collect { events += it } }
                    repeat(Random.nextInt(10_000)) { Thread.onSpinWait() }
                    collector.cancelAndJoin()
                }
                while (true) events += inotify.tryTake() ?: break
                events.map { it.path() } shouldBe files
            }
        }

        test("a cancelled taker takes nothing") {
            withPoller {
                val folder = tempdir().toPath()
                val inotify = watching(folder)
                val taker = waiting { inotify.take() }
                stillWait(taker)
                taker.cancelAndJoin()
                shouldThrow<CancellationException> { taker.await() }
                folder.resolve("file").createFile()
                inotify.take().mask() shouldBe CREATE
            }
        }

        test("the events end when the descriptor is closed") {
            withPoller {
                val inotify = watching(tempdir().toPath())
                val events = waiting { inotify.events().toList() }
                until("it waits") { waiters() == 1 }
                inotify.close()
                events.await() shouldBe emptyList()
                shouldThrow<ClosedChannelException> { inotify.take() }
            }
        }
    })

private fun PollerScope.watching(folder: Path) = keep(Inotify.open(poller)).also { it.watch(folder, CREATE) }
