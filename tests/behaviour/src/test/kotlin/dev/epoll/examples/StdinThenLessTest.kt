package dev.epoll.examples

import dev.epoll.coroutines.read
import dev.epoll.fd.Pty
import dev.epoll.fd.Terminal
import dev.epoll.fd.WindowSize
import dev.epoll.testing.LibC
import dev.epoll.testing.PollerScope
import dev.epoll.testing.Screen
import dev.epoll.testing.withPoller
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.deleteExisting
import kotlin.io.path.writeLines
import kotlinx.coroutines.cancelAndJoin

private const val O_NOCTTY = 0x100

/** What the terminal is: its settings, and the flags of the open file that all of its programs share. */
private const val STATE = "stty -g; grep flags /proc/self/fdinfo/0"

/** Of what was shown, the lines that [STATE] printed: keys are echoed in between. */
private fun state(shown: String) = Regex("[0-9a-f]+(:[0-9a-f]+){10,}|flags:\\s*\\d+").findAll(shown).map { it.value }

class StdinThenLessTest :
    FunSpec({
        test("after stdin has stopped waiting, less gets every key, and the terminal is as it was") {
            atTerminalWithText { pty, screen, text ->
                val stdin = ExampleProcess.command("dev.epoll.examples.StdinKt", "--timeout", "1").joinToString(" ")
                screen.type("one\n")
                val shell =
                    screen.run("echo; $STATE; echo BEFORE; $stdin; $STATE; echo AFTER; less $text; echo less: $?")
                val before = screen.until("BEFORE")
                screen.until("line 1: one")
                // The first key while the read waits, the others, with the end of the line, as soon as it does not.
                screen.type("5")
                screen.until("stopped waiting after 1.0 s, 1 lines\r\n")
                screen.type("0g\n")
                state(screen.until("AFTER")).toList() shouldBe state(before).toList()
                screen.until("<line 50>") // at the top,
                screen.until("<line 73>") // and one line further down than a screen of 23 lines
                screen.type("q")
                screen.until("less: 0")
                shell.waitFor() shouldBe 0
            }
        }

        test("a process that has cancelled its read takes no key from less") {
            atTerminalWithText { pty, screen, text ->
                val shared = fds.open("${pty.path()}", LibC.O_RDWR or O_NOCTTY)
                val terminal = keep(Terminal.borrow(poller, shared))
                waiting { terminal.read(ByteBuffer.allocate(1)) }.cancelAndJoin()
                val shell = screen.run("less $text; echo less: $?")
                screen.until("<line 23>")
                screen.type("50g")
                screen.until("<line 50>")
                screen.until("<line 72>")
                screen.type("q")
                screen.until("less: 0")
                shell.waitFor() shouldBe 0
            }
        }
    })

/** A terminal of 24 lines, and a file of 500 numbered ones. */
private suspend fun atTerminalWithText(body: suspend PollerScope.(Pty, Screen, Path) -> Unit) = withPoller {
    val pty = keep(Pty.open(poller))
    pty.setWindowSize(WindowSize(24, 80))
    val text = Files.createTempFile("text", ".txt").also { it.writeLines((1..500).map { i -> "<line $i>" }) }
    try {
        body(pty, Screen(pty), text)
    } finally {
        text.deleteExisting()
    }
}
