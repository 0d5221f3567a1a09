package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.arguments.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.coroutines.events
import dev.epoll.fd.Inotify
import dev.epoll.fd.InotifyEvent
import dev.epoll.fd.InotifyMask.*
import java.io.IOException
import java.nio.file.*
import java.nio.file.LinkOption.NOFOLLOW_LINKS
import kotlin.concurrent.thread
import kotlin.io.path.*
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.takeWhile

private val CHANGES = CREATE.or(DELETE).or(MOVE).or(CLOSE_WRITE).or(ONLY_DIRECTORY).or(DONT_FOLLOW)

/** How much later the new name of a rename may come than the old one: the kernel tells them in two steps. */
private val BETWEEN_NAMES = 100.milliseconds

/** Prints what changes in a folder and in the folders below it. */
class Watch : CliktCommand("watch") {
    private val folder by
        argument(help = "the folder to watch").path(mustExist = true, canBeFile = false).default(Path.of("."))

    override fun help(context: Context) = "Prints what changes in a folder and below, until SIGINT or SIGTERM."

    override fun run() = runBlocking {
        Poller.open().use { poller ->
            Inotify.open(poller).use { inotify ->
                val watching = launch { Tree(inotify, folder.toRealPath(), this).follow() }
                val main = Thread.currentThread()
                Runtime.getRuntime()
                    .addShutdownHook(thread(start = false) { watching.cancel().also { main.join(5_000) } })
                watching.join()
            }
        }
    }

    private inner class Tree(val inotify: Inotify, val root: Path, val scope: CoroutineScope) {
        /** The watched folders, by the names that they had when the event happened which is told next. */
        private val folders = mutableMapOf<Inotify.Watch, Path>()

        /** What a scan found in a new folder, and said; the event of its creation may still come. */
        private val found = mutableSetOf<Path>()

        /** By cookie, the old names of renames whose new name has not come yet. */
        private val leaving = mutableMapOf<Int, Path>()

        private var isStarting = true

        suspend fun follow() {
            watch(root)
            scan(root, announce = false)
            isStarting = false
            echo("watching $root, ${folders.size} folders")
            try {
                inotify.events().takeWhile { !it.isAny(IGNORED) || folders[it.watch()] != root }.collect(::tell)
                echo("the folder is gone")
            } finally {
                leaving.values.forEach { say("moved away", it) }
            }
        }

        /** Whether it was not watched before. */
        private fun watch(folder: Path): Boolean =
            ifThere(false) { folders.put(inotify.watch(folder, CHANGES), folder) == null }

        /** Comes after [watch], so that what is made in between is seen twice, and not missed; it is said once. */
        private fun scan(folder: Path, announce: Boolean) {
            for (entry in ifThere(emptyList()) { folder.listDirectoryEntries() }) {
                val isFolder = entry.isDirectory(NOFOLLOW_LINKS)
                if (announce && found.add(entry)) appeared("created", entry, isFolder)
                else if (isFolder) scan(entry, announce = watch(entry) && !isStarting)
            }
        }

        /** Something may be gone again, which the events of the folder above tell. */
        private fun <T> ifThere(otherwise: T, look: () -> T): T =
            try {
                look()
            } catch (e: IOException) {
                if (e !is NoSuchFileException && e !is NotDirectoryException) echo("not watched: $e", err = true)
                otherwise
            }

        private fun tell(event: InotifyEvent) {
            if (event.isAny(OVERFLOW)) {
                echo("too much at once: some changes were lost", err = true)
                return scan(root, announce = false)
            }
            val folder = folders[event.watch()] ?: return // It was moved away.
            val path = event.name()?.let(folder::resolve) ?: folder
            val isFolder = event.isAny(IS_DIRECTORY)
            when {
                event.isAny(IGNORED) -> folders.remove(event.watch())
                event.isAny(CREATE) -> if (!found.remove(path)) appeared("created", path, isFolder)
                event.isAny(CLOSE_WRITE) -> say("written", path)
                event.isAny(DELETE) -> gone("deleted", path)
                event.isAny(MOVED_FROM) -> {
                    found.removeIf { it.startsWith(path) }
                    leaving[event.cookie()] = path
                    scope.launch {
                        delay(BETWEEN_NAMES)
                        leaving.remove(event.cookie())?.let { gone("moved away", it) }
                    }
                }
                event.isAny(MOVED_TO) -> {
                    val old = leaving.remove(event.cookie()) ?: return appeared("moved in", path, isFolder)
                    folders.replaceAll { _, it -> if (it.startsWith(old)) path.resolve(old.relativize(it)) else it }
                    appeared("renamed ${root.relativize(old)} ->", path, isFolder)
                }
            }
        }

        private fun appeared(how: String, path: Path, isFolder: Boolean) {
            val isNew = isFolder && watch(path)
            say(how, path)
            if (isFolder) scan(path, isNew)
        }

        private fun gone(how: String, path: Path) {
            say(how, path)
            found.removeIf { it.startsWith(path) }
            for (watch in folders.filterValues { it.startsWith(path) }.keys) {
                folders.remove(watch)
                watch.remove()
            }
        }

        private fun say(how: String, path: Path) = echo("$how ${root.relativize(path)}")
    }
}

fun main(args: Array<String>) = Watch().main(args)
