package dev.epoll.soak

import dev.epoll.testing.Eventually
import dev.epoll.testing.Signals
import java.nio.file.Files
import java.nio.file.Path

/** The platform thread called [name], as the kernel sees it. */
class PollerThread(name: String) {
    private val tid = Eventually.tid(name)

    fun signal() = Signals.send(tid)

    /** The CPU time that it has had: utime and stime of proc(5), the 14th and the 15th field, in ticks of 10 ms. */
    fun ticks(): Long {
        val behindName = Files.readString(Path.of("/proc/self/task/$tid/stat")).substringAfterLast(") ").split(' ')
        return behindName[11].toLong() + behindName[12].toLong()
    }
}
