package dev.epoll.examples

import java.io.BufferedReader
import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** One of the examples as a process of its own, killed at the end if it has not ended. */
class ExampleProcess(builder: ProcessBuilder) : AutoCloseable {
    private val process = builder.start()
    private val errors = StringBuffer()
    private val errorReader = thread { process.errorReader().forEachLine { errors.appendLine(it) } }

    val out: BufferedReader = process.inputReader()
    val input = process.outputStream
    val pid = process.pid()

    /** The TCP port that it says, in its first line, that it listens on. */
    fun port(): Int {
        val line = out.readLine()
        val match = LISTENING.find(line.orEmpty()) ?: throw AssertionError("it does not listen, but said: $line")
        return match.groupValues[1].toInt()
    }

    /** What its descriptors are, as the kernel shows them. */
    fun fds(): List<String> =
        File("/proc/$pid/fd").listFiles().orEmpty().mapNotNull {
            runCatching { Files.readSymbolicLink(it.toPath()).toString() }.getOrNull()
        }

    /** All that it said on stderr, once it has ended. */
    fun errors(): List<String> {
        errorReader.join()
        return errors.lines().filter { it.isNotBlank() }
    }

    /** What is left of stdout, once it has ended. */
    fun rest(): List<String> = out.readLines()

    fun signal(name: String) {
        ProcessBuilder("kill", "-$name", "$pid").inheritIO().start().waitFor()
    }

    /** The exit code. */
    fun end(): Int {
        check(process.waitFor(60, TimeUnit.SECONDS)) { "the example did not end; it said: $errors" }
        return process.exitValue()
    }

    override fun close() {
        process.destroyForcibly().waitFor()
    }

    companion object {
        private val LISTENING = Regex("^listening on 127\\.0\\.0\\.1:(\\d+)")

        /** The command that runs [mainClass] on what the tests run on. */
        fun command(mainClass: String, vararg arguments: String): List<String> = buildList {
            // A process that starts in the background of a script inherits an ignored SIGINT.
            addAll(listOf("env", "--default-signal=INT", "${System.getProperty("java.home")}/bin/java"))
            add("-XX:TieredStopAtLevel=1")
            if (Runtime.version().feature() >= 22) add("--enable-native-access=ALL-UNNAMED")
            if (Runtime.version().feature() >= 24) add("--sun-misc-unsafe-memory-access=allow")
            System.getProperty("dev.epoll.backend")?.let { add("-Ddev.epoll.backend=$it") }
            addAll(listOf("-cp", System.getProperty("java.class.path"), mainClass))
            addAll(arguments)
        }

        fun start(mainClass: String, vararg arguments: String): ExampleProcess =
            ExampleProcess(ProcessBuilder(command(mainClass, *arguments)))
    }
}
