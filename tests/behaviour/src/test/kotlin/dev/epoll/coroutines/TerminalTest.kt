package dev.epoll.coroutines

import dev.epoll.fd.ByteSource
import dev.epoll.fd.Pty
import dev.epoll.fd.Terminal
import dev.epoll.fd.WindowSize
import dev.epoll.testing.PollerScope
import dev.epoll.testing.Screen
import dev.epoll.testing.stillWait
import dev.epoll.testing.withPoller
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.withContext

class TerminalTest :
    FunSpec({
        test("a key is read as it is typed in raw mode, on every dispatcher") {
            withPoller {
                val (pty, terminal) = pair()
                terminal.rawMode().use {
                    for ((name, dispatcher) in dispatchers()) {
                        withClue(name) {
                            withContext(dispatcher) {
                                val reader = waiting { terminal.text() }
                                stillWait(reader)
                                pty.writeFully(ByteBuffer.wrap("k".toByteArray()))
                                reader.await() shouldBe "k"
                            }
                        }
                    }
                }
            }
        }

        test("a cancelled read takes no key") {
            withPoller {
                val (pty, terminal) = pair()
                terminal.rawMode().use {
                    waiting { terminal.text() }.cancelAndJoin()
                    pty.writeFully(ByteBuffer.wrap("k".toByteArray()))
                    stillWait()
                    terminal.text() shouldBe "k"
                }
            }
        }

        test("closing either side ends who reads it, and the other reads the end") {
            withPoller {
                val (pty, terminal) = pair()
                val reader = waiting { runCatching { terminal.text() } }
                val screen = waiting { pty.text() }
                terminal.close()
                (reader.await().exceptionOrNull() is ClosedChannelException) shouldBe true
                screen.await() shouldBe null
                val (other, itsTerminal) = pair()
                val itsReader = waiting { itsTerminal.text() }
                other.close()
                itsReader.await() shouldBe null
            }
        }

        test("programs run on a pty, are told of its size, and end with it") {
            withPoller {
                val pty = keep(Pty.open(poller))
                val screen = Screen(pty)
                val shell = screen.run("trap 'stty size' WINCH; echo ready; read x; cat")
                screen.until("ready")
                pty.setWindowSize(WindowSize(43, 132))
                screen.until("43 132")
                screen.type("read\nshown\n")
                repeat(2) { screen.until("shown\r\n") } // once as it is typed, once by cat
                screen.type("\u0003")
                screen.rest() shouldContain "^C"
                withContext(Dispatchers.IO) { shell.waitFor() } shouldBe 130
            }
        }
    })

private fun PollerScope.pair(): Pair<Pty, Terminal> {
    val pty = keep(Pty.open(poller))
    return Pair(pty, keep(pty.openTerminal()))
}

private suspend fun ByteSource.text(): String? {
    val buffer = ByteBuffer.allocate(100)
    val count = read(buffer)
    return if (count < 0) null else String(buffer.array(), 0, count)
}
