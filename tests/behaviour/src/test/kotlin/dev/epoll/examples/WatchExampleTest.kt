package dev.epoll.examples

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectories
import kotlin.io.path.createDirectory
import kotlin.io.path.createFile
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.deleteExisting
import kotlin.io.path.div
import kotlin.io.path.moveTo
import kotlin.io.path.writeText

class WatchExampleTest :
    FunSpec({
        for (signal in listOf("INT", "TERM")) {
            test("prints what happens to files, and ends at SIG$signal") {
                watch(folders = 2, prepare = { (it / "old").createDirectory() }) { folder ->
                    (folder / "a").writeText("text")
                    says("created a", "written a")
                    (folder / "a").moveTo(folder / "old/b")
                    says("renamed a -> old/b")
                    (folder / "old/b").deleteExisting()
                    says("deleted old/b")
                    signal(signal)
                    rest() shouldBe emptyList()
                    errors() shouldBe emptyList()
                }
            }
        }

        test("what is made in a new folder before that is watched is told, once") {
            watch { folder ->
                val deep = List(20) { "d$it" }.runningReduce { above, name -> "$above/$name" }
                (folder / deep.last()).createDirectories()
                val files = deep.map { "$it/f".also { file -> (folder / file).createFile() } }
                val made = (deep + files).map { "created $it" }
                List(made.size) { saidButWritten() } shouldContainExactlyInAnyOrder made
                (folder / "end").createFile()
                saidButWritten() shouldBe "created end"
            }
        }

        test("a renamed folder is told of under its new name, also what is below it") {
            watch { folder ->
                (folder / "a/b").createDirectories()
                says("created a", "created a/b")
                (folder / "a").moveTo(folder / "c")
                (folder / "c/b/new").createDirectory()
                says("renamed a -> c", "created c/b/new")
                (folder / "c/b/new/f").createFile()
                says("created c/b/new/f", "written c/b/new/f")
                (folder / "a").createFile()
                says("created a", "written a")
            }
        }

        test("what is moved away is no longer watched, and what is moved in is") {
            val outside = tempdir().toPath()
            watch { folder ->
                (folder / "a/b").createDirectories()
                says("created a", "created a/b")
                (folder / "a").moveTo(outside / "a")
                says("moved away a")
                (outside / "a/unseen").createFile()
                (outside / "a").moveTo(folder / "c")
                says("moved in c")
                List(2) { said() } shouldContainExactlyInAnyOrder listOf("created c/b", "created c/unseen")
                (folder / "c/b/f").createFile()
                says("created c/b/f", "written c/b/f")
            }
        }

        test("a link to a folder is not followed") {
            val outside = tempdir().toPath()
            watch { folder ->
                (folder / "link").createSymbolicLinkPointingTo(outside)
                says("created link")
                (outside / "unseen").createFile()
                (folder / "seen").createFile()
                says("created seen", "written seen")
            }
        }

        test("ends when the folder is deleted") {
            watch { folder ->
                (folder / "a").createDirectory()
                says("created a")
                folder.toFile().deleteRecursively() shouldBe true
                says("deleted a", "the folder is gone")
                end() shouldBe 0
                errors() shouldBe emptyList()
            }
        }

        test("a folder that is none is a usage error") {
            shouldThrow<UsageError> { Watch().parse(listOf("/nowhere")) }.statusCode shouldBe 1
            shouldThrow<UsageError> { Watch().parse(listOf("/etc/passwd")) }.statusCode shouldBe 1
        }
    })

/** Runs [body] with the example on a new folder, once that is watched. */
private fun FunSpec.watch(folders: Int = 1, prepare: (Path) -> Unit = {}, body: ExampleProcess.(Path) -> Unit) {
    val folder = tempdir().toPath().toRealPath().also(prepare)
    ExampleProcess.start("dev.epoll.examples.WatchKt", "$folder").use {
        // Who waits for a line that does not come is told the end.
        CompletableFuture.delayedExecutor(60, TimeUnit.SECONDS).execute(it::close)
        it.out.readLine() shouldBe "watching $folder, $folders folders"
        it.body(folder)
    }
}

private fun ExampleProcess.said(): String? = out.readLine()

private fun ExampleProcess.says(vararg lines: String) = List(lines.size) { said() } shouldBe lines.toList()

/**
 * The next line that says more than that a file was written: whether that is seen of a file in a new folder is chance.
 */
private fun ExampleProcess.saidButWritten(): String? {
    while (true) {
        val line = said()
        if (line?.startsWith("written ") != true) return line
    }
}
