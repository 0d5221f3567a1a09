package dev.epoll.examples

import dev.epoll.testing.Eventually
import dev.epoll.testing.until
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.File
import java.io.IOException
import java.net.InetAddress
import java.net.Socket
import java.net.SocketTimeoutException
import java.util.concurrent.TimeUnit

/** What a server bears without a client noticing: every third call of a kind. */
private val BORNE =
    listOf(
        "accept4:error=EMFILE:when=1+3",
        "accept4:error=ENFILE:when=1+3",
        "accept4:error=ENOMEM:when=1+3",
        "accept4:error=ECONNABORTED:when=1+3",
        "accept4:error=EPROTO:when=1+3",
        "accept4:error=EINTR:when=1+3",
        "accept4:error=EAGAIN:when=1+3",
        "recvfrom:error=EINTR:when=1+3",
        "sendto:error=EINTR:when=1+3",
        "recvfrom:delay_exit=20000:when=1+3",
        "close:delay_enter=20000:when=1+3",
        "?epoll_wait,epoll_pwait,?epoll_pwait2,epoll_ctl:delay_enter=10000:when=1+3",
    )

/** What ends a connection, and no other. A connection makes about three calls of a kind, so not each of them is hit. */
private val ENDING =
    listOf(
        "epoll_ctl:error=ENOMEM:when=5+7",
        "epoll_ctl:error=ENOSPC:when=5+7",
        "recvfrom:error=EIO:when=5+7",
        "recvfrom:error=ENOMEM:when=5+7",
        "sendto:error=EIO:when=5+7",
        "sendto:error=ENOBUFS:when=5+7",
    )

private const val EXCHANGES = 12

/** For so long nobody asks for anything. */
private const val IDLE_MILLIS = 300L

/**
 * Servers in a process of their own, whose system calls strace makes fail: they serve on, a failed call ends the
 * connection that it was for at the most, and in the end all is as it was.
 *
 * In one lane only, as what is tested is on this side of the backends.
 */
class InjectedFaultsTest :
    FunSpec({
        val isLane = System.getProperty("dev.epoll.backend") == "ffm"
        for (served in listOf(Served("EchoKt") { it.echoes() }, Served("HttpKt") { it.answersHttp() })) {
            afterSpec { served.close() }
            for (fault in BORNE + ENDING) {
                test("${served.name} under $fault").config(enabled = isLane) {
                    served.exchange() shouldBe true // all classes are loaded
                    until("nothing is open") { served.connections() == 0 }
                    val strace = Strace(served.pid, fault)
                    val answered = strace.use { (1..EXCHANGES).count { _ -> served.exchange() } }
                    val injected = strace.injected()
                    withClue("$answered of $EXCHANGES were answered, $injected calls hit") {
                        injected shouldBeGreaterThan 0
                        answered shouldBeGreaterThanOrEqual if (fault in BORNE) EXCHANGES else EXCHANGES - injected
                    }
                    until("it serves as before") { served.exchange() }
                    until("nothing stays open") { served.connections() == 0 }
                    until("it is idle") { served.cpuMillis(IDLE_MILLIS) < IDLE_MILLIS / 2 }
                }
            }
            test("${served.name} ends as ever").config(enabled = isLane) { served.end() shouldBe 143 }
        }
    })

private class Served(val name: String, private val answers: (Socket) -> Boolean) : AutoCloseable {
    private val started = lazy { ExampleProcess.start("dev.epoll.examples.$name", "--port", "0") }
    private val server by started
    private val port by lazy { server.port() }

    val pid
        get() = server.pid

    /** Whether a connection is served; false if it breaks. */
    fun exchange(): Boolean =
        try {
            Socket(InetAddress.getLoopbackAddress(), port).use {
                it.soTimeout = 20_000
                answers(it)
            }
        } catch (e: SocketTimeoutException) {
            throw AssertionError("no answer, and no end", e)
        } catch (_: IOException) {
            false
        }

    /**
     * How many connections it has not closed: in /proc/net/tcp those of its port that are ESTABLISHED or CLOSE_WAIT.
     */
    fun connections(): Int =
        File("/proc/net/tcp").readLines().count { line ->
            val fields = line.trim().split(Regex(" +"))
            fields[1].endsWith(":%04X".format(port)) && fields[3] in listOf("01", "08")
        }

    /** How much of the next [millis] the process computes. */
    fun cpuMillis(millis: Long): Long {
        val before = cpuMillis()
        Thread.sleep(millis)
        return cpuMillis() - before
    }

    // Fields 14 and 15 of /proc/PID/stat, in hundredths of a second
    private fun cpuMillis(): Long =
        File("/proc/$pid/stat").readText().substringAfterLast(") ").split(" ").let {
            it[11].toLong() + it[12].toLong()
        } * 10

    fun end(): Int {
        server.signal("TERM")
        return server.end()
    }

    override fun close() {
        if (started.isInitialized()) server.close()
    }
}

private fun Socket.echoes(): Boolean {
    val sent = ByteArray(1000) { it.toByte() }
    repeat(3) {
        getOutputStream().write(sent)
        if (!getInputStream().readNBytes(sent.size).contentEquals(sent)) return false
    }
    return true
}

private fun Socket.answersHttp(): Boolean {
    repeat(3) {
        getOutputStream().write("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n".toByteArray())
        val answer = StringBuilder()
        while (!answer.endsWith("Hello, World!")) {
            val byte = getInputStream().read()
            if (byte < 0) return false
            answer.append(byte.toChar())
        }
    }
    return true
}

/** Makes calls of a running process fail, until it is closed. */
private class Strace(pid: Long, fault: String) : AutoCloseable {
    private val calls = fault.substringBefore(':')
    private val log = File.createTempFile("strace", null)
    private val process =
        ProcessBuilder(
                "strace",
                "-f",
                "-qqq",
                "-e",
                "trace=$calls",
                "-e",
                "inject=$fault",
                "-o",
                log.path,
                "-p",
                "$pid",
            )
            .redirectErrorStream(true)
            .start()

    init {
        Eventually.until("strace watches all threads") {
            check(process.isAlive) { "strace ended: ${process.inputReader().readText()}" }
            File("/proc/$pid/task").listFiles().orEmpty().all {
                runCatching { it.resolve("status").readText() }
                    .getOrDefault("")
                    .contains("TracerPid:\t${process.pid()}")
            }
        }
    }

    /** Lets go of the process, which goes on without faults. */
    override fun close() {
        process.destroy()
        check(process.waitFor(20, TimeUnit.SECONDS)) { "strace does not end" }
    }

    /** How many calls it hit, once it is closed. */
    fun injected(): Int {
        val count = log.readLines().count { it.endsWith("(INJECTED)") || it.endsWith("(DELAYED)") }
        log.delete()
        return count
    }
}
