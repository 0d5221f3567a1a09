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

        suspend fun follow() {
            watch(root, quietly = true)
            echo("watching $root, ${folders.size} folders")
            try {
                inotify.events().takeWhile { !it.isAny(IGNORED) || folders[it.watch()] != root }.collect(::tell)
                echo("the folder is gone")
            } finally {
                leaving.values.forEach { say("moved away", it) }
            }
        }

        /** Watches first, then scans: what is made in between is seen twice, and said once. */
        private fun watch(folder: Path, quietly: Boolean = false) {
            try {
                val isNew = folders.put(inotify.watch(folder, CHANGES), folder) == null
                for (entry in folder.listDirectoryEntries()) {
                    if (isNew && !quietly && found.add(entry)) say("created", entry)
                    if (entry.isDirectory(NOFOLLOW_LINKS)) watch(entry, quietly)
                }
            } catch (e: IOException) {
                // One that is gone again is told of by the events of the folder above.
                if (e !is NoSuchFileException && e !is NotDirectoryException) echo("not watched: $e", err = true)
            }
        }

        private fun tell(event: InotifyEvent) {
            if (event.isAny(OVERFLOW)) {
                echo("too much at once: some changes were lost", err = true)
                return watch(root)
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
                    leaving[event.cookie()] = path
                    scope.launch {
                        delay(BETWEEN_NAMES)
                        leaving.remove(event.cookie())?.let { gone("moved away", it) }
                    }
                }
                event.isAny(MOVED_TO) -> {
                    val old = leaving.remove(event.cookie()) ?: return appeared("moved in", path, isFolder)
                    found.removeIf { it.startsWith(old) }
                    folders.replaceAll { _, it -> if (it.startsWith(old)) path.resolve(old.relativize(it)) else it }
                    appeared("renamed ${root.relativize(old)} ->", path, isFolder)
                }
            }
        }

        private fun appeared(how: String, path: Path, isFolder: Boolean) {
            say(how, path)
            if (isFolder) watch(path)
        }

        private fun gone(how: String, path: Path) {
            say(how, path)
            found.removeIf { it.startsWith(path) }
            folders
                .filterValues { it.startsWith(path) }
                .keys
                .forEach {
                    folders.remove(it)
                    it.remove()
                }
        }

        private fun say(how: String, path: Path) = echo("$how ${root.relativize(path)}")
    }
}

fun main(args: Array<String>) = Watch().main(args)
