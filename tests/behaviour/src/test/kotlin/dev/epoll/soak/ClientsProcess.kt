package dev.epoll.soak

import java.io.PrintStream
import java.lang.management.ManagementFactory
import java.util.concurrent.TimeUnit.SECONDS

/** The clients of a soak, in a process of their own, on what this one runs on. */
class ClientsProcess(connections: Int, seed: Long, violations: Violations, say: (String) -> Unit) : AutoCloseable {
    private val process = ProcessBuilder(command("$connections", "$seed")).redirectErrorStream(true).start()
    private val input = PrintStream(process.outputStream, true)
    @Volatile private var isClosed = false

    val conversation =
        Conversation(
            process.inputStream,
            input,
            aside = { word, text -> if (word == Word.VIOLATION) violations.add("the clients: $text") else say(text) },
            atEnd = {
                if (!isClosed) violations.add("the clients' process has ended, exit code ${process.waitFor()}")
            },
        )

    /** Returns once the process has ended. */
    override fun close() {
        isClosed = true
        input.close()
        if (!process.waitFor(10, SECONDS)) process.destroyForcibly().waitFor()
    }

    private companion object {
        fun command(vararg arguments: String): List<String> = buildList {
            add("${System.getProperty("java.home")}/bin/java")
            addAll(ManagementFactory.getRuntimeMXBean().inputArguments)
            // Surefire sets it without an argument.
            System.getProperty("dev.epoll.backend")?.let { add("-Ddev.epoll.backend=$it") }
            addAll(listOf("-cp", System.getProperty("java.class.path"), "dev.epoll.soak.SoakClientsKt"))
            addAll(arguments)
        }
    }
}
