package dev.epoll.examples

import com.github.ajalt.clikt.core.*
import com.github.ajalt.clikt.parameters.options.*
import com.github.ajalt.clikt.parameters.types.*
import dev.epoll.Poller
import dev.epoll.PollerConfig
import dev.epoll.PollerDriver

/** The echo server once more, as [VirtualEcho]: in Java, on virtual threads. */
class Virtual : CliktCommand("virtual") {
    private val host by option(help = "address to listen on").default("127.0.0.1")
    private val port by option(help = "port to listen on, 0 for a free one").int().restrictTo(0..65535).default(7007)

    override fun help(context: Context) =
        "Sends back what it is sent, with a virtual thread for each connection, until SIGINT or SIGTERM."

    override fun run() {
        requireVirtualThreads()
        val server = VirtualEcho()
        Poller.open(PollerConfig.defaults(), PollerDriver.virtualThread()).use { poller ->
            listen(poller, host, port).use { listener ->
                atSignal { listener.close() }
                echo("listening on ${listener.hostAndPort()}")
                server.serve(listener)
            }
        }
        echo("served ${server.served()} connections, ${server.bytes()} bytes")
    }
}

fun main(args: Array<String>) = Virtual().main(args)
