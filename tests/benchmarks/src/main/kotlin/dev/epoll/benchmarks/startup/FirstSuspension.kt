package dev.epoll.benchmarks.startup

import dev.epoll.Poller
import dev.epoll.coroutines.asCoroutineDispatcher
import dev.epoll.coroutines.awaitReadable
import dev.epoll.fd.EventFd
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** From the start of the JVM to the first await that is over, in a coroutine. */
object FirstSuspension {
    @JvmStatic
    fun main(arguments: Array<String>) {
        Poller.open().use { poller ->
            val eventFd = EventFd.counter(poller, 0)
            runBlocking(poller.asCoroutineDispatcher()) {
                launch { check(eventFd.tryAdd(1)) }
                check(eventFd.registration().awaitReadable().isReadable)
            }
            println("done")
        }
    }
}
