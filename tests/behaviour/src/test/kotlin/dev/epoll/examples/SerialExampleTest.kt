package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.parse
import dev.epoll.fd.Pty
import dev.epoll.testing.Screen
import dev.epoll.testing.Shell.stty
import dev.epoll.testing.until
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import java.io.Closeable
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists

private const val MAIN = "dev.epoll.examples.SerialKt"

class SerialExampleTest :
    FunSpec({
        test("carries bytes both ways over a line in raw mode, at the speed asked for") {
            Wire.laid { wire ->
                val before = stty(wire.here, "-g")
                ExampleProcess.start(MAIN, "--baud", "115200", "${wire.here}").use { serial ->
                    serial.out.readLine() shouldBe "connected with ${wire.here} at 115200 baud"
                    stty(wire.here, "-a").run {
                        this shouldStartWith "speed 115200 baud;"
                        this shouldContain "-icanon"
                    }
                    wire.device().use { device ->
                        serial.write("at\r\u001d\u0003")
                        String(device.inputStream.readNBytes(5)) shouldBe "at\r\u001d\u0003"
                        device.outputStream.write("OK\r\n".toByteArray())
                        device.outputStream.flush()
                        serial.out.readLine() shouldBe "OK"
                    }
                    serial.input.close()
                    serial.rest().last() shouldBe "end of input"
                    serial.end() shouldBe 0
                    serial.errors() shouldBe emptyList()
                }
                stty(wire.here, "-g") shouldBe before
            }
        }

        test("ends when the line hangs up") {
            Wire.laid { wire ->
                ExampleProcess.start(MAIN, "${wire.here}").use { serial ->
                    serial.out.readLine() shouldStartWith "connected"
                    wire.close()
                    serial.rest().last() shouldBe "the line has hung up"
                    serial.end() shouldBe 0
                }
            }
        }

        test("a keyboard's every key goes to the line, up to Ctrl-], and both terminals are as before") {
            atKeyboard { wire, keyboard, serial ->
                val screen = Screen(keyboard)
                until("the keyboard is raw") { "-icanon" in stty(keyboard.path(), "-a") }
                screen.type("\u0003")
                wire.device().use { it.inputStream.read() shouldBe 3 }
                screen.type("\u001d")
                serial.rest().last() shouldBe "ended by Ctrl-]"
                serial.end() shouldBe 0
            }
        }

        for (signal in listOf("INT", "TERM")) {
            test("SIG$signal leaves both terminals as they were") {
                atKeyboard { _, keyboard, serial ->
                    until("the keyboard is raw") { "-icanon" in stty(keyboard.path(), "-a") }
                    serial.signal(signal)
                    serial.end() shouldNotBe 0
                }
            }
        }

        test("what is no line is said by name") {
            for (path in listOf("/dev/null", "/dev/no-such-line")) {
                ExampleProcess.start(MAIN, path).use { serial ->
                    serial.end() shouldBe 1
                    serial.rest() shouldBe emptyList()
                    serial.errors().last() shouldContain path
                }
            }
        }

        test("a speed that no line has is a usage error that names those there are") {
            Wire.laid { wire ->
                val error = shouldThrow<UsageError> { Serial().parse(listOf("--baud", "9601", "${wire.here}")) }
                error.message.orEmpty() shouldContain "9600"
            }
        }

        test("help tells the options") {
            val help = shouldThrow<PrintHelpMessage> { Serial().parse(listOf("--help")) }
            val text = Serial().getFormattedHelp(help).orEmpty()
            for (word in listOf("--baud", "<line>", "Ctrl-]")) text shouldContain word
        }
    })

/** Two serial lines that are wired to each other, by socat. */
private class Wire(private val directory: Path) : Closeable {
    val here: Path = directory.resolve("here")
    private val there = directory.resolve("there")
    private val socat =
        ProcessBuilder("socat", "pty,link=$here", "pty,raw,echo=0,link=$there").redirectErrorStream(true).start()

    /** What is at the other end of the line. */
    fun device(): Process = ProcessBuilder("socat", "-", "$there,raw,echo=0").start()

    override fun close() {
        socat.destroy()
        socat.waitFor()
    }

    companion object {
        suspend fun laid(body: suspend (Wire) -> Unit) {
            val directory = Files.createTempDirectory("wire")
            Wire(directory).use { wire ->
                until("the wire is laid") { wire.here.exists() && wire.there.exists() }
                body(wire)
            }
            directory.toFile().deleteRecursively()
        }
    }
}

private inline fun Process.use(body: (Process) -> Unit) =
    try {
        body(this)
    } finally {
        destroy()
        waitFor()
    }

private suspend fun atKeyboard(body: suspend (Wire, Pty, ExampleProcess) -> Unit) = withPoller {
    Wire.laid { wire ->
        val keyboard = keep(Pty.open(poller))
        val before = listOf(wire.here, keyboard.path()).map { stty(it, "-g") }
        val command = ExampleProcess.command(MAIN, "${wire.here}").joinToString(" ")
        ExampleProcess(ProcessBuilder("sh", "-c", "exec $command <${keyboard.path()}")).use { serial ->
            serial.out.readLine() shouldStartWith "connected"
            body(wire, keyboard, serial)
        }
        listOf(wire.here, keyboard.path()).map { stty(it, "-g") } shouldBe before
    }
}
