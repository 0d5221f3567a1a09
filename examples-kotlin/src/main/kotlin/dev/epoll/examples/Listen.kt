package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintMessage
import dev.epoll.Poller
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import java.net.BindException
import java.net.InetSocketAddress
import java.nio.channels.UnresolvedAddressException

/** A listener, or one line on stderr and exit code 1 that tell why there is none. */
fun listenOn(poller: Poller, host: String, port: Int, options: TcpOptions = TcpOptions.none()): TcpListener =
    try {
        TcpListener.bind(poller, InetSocketAddress(host, port), TcpListener.DEFAULT_BACKLOG, options)
    } catch (e: BindException) {
        throw PrintMessage("cannot listen on $host:$port: ${e.message}", statusCode = 1, printError = true)
    } catch (e: UnresolvedAddressException) {
        throw PrintMessage("cannot listen on $host:$port: no such host", statusCode = 1, printError = true)
    }
