package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintMessage
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.asCoroutineDispatcher

/** Ends the program with a line that says so, where there are no virtual threads. */
fun requireVirtualThreads() {
    if (Runtime.version().feature() < 21) {
        throw PrintMessage("virtual threads need JDK 21 or newer", statusCode = 1, printError = true)
    }
}

/**
 * A dispatcher that runs each piece of a coroutine on a virtual thread of its own. By name, for the examples run on
 * JDK 17.
 */
fun virtualThreads(): CoroutineDispatcher {
    requireVirtualThreads()
    val executor = Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor").invoke(null) as Executor
    return executor.asCoroutineDispatcher()
}
