package dev.epoll.examples

import com.github.ajalt.clikt.core.PrintMessage
import dev.epoll.Poller
import dev.epoll.coroutines.connections
import dev.epoll.net.ListenerSocket
import dev.epoll.net.StreamSocket
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpOptions
import dev.epoll.net.UnixAddress
import dev.epoll.net.UnixListener
import java.io.IOException
import java.net.BindException
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.nio.channels.UnresolvedAddressException
import java.nio.file.Path
import kotlin.concurrent.thread
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope

// What the servers among the examples have in common.

/** Listens on a TCP port, or ends the program with a line that says why it cannot. */
fun listen(poller: Poller, host: String, port: Int, options: TcpOptions = TcpOptions.none()): TcpListener =
    orEnd("$host:$port") {
        TcpListener.bind(poller, InetSocketAddress(host, port), ListenerSocket.DEFAULT_BACKLOG, options)
    }

/** Listens on a Unix socket, or ends the program with a line that says why it cannot. */
fun listen(poller: Poller, path: Path): UnixListener =
    orEnd("$path") { UnixListener.bind(poller, UnixAddress.of(path)) }

private fun <L> orEnd(where: String, bind: () -> L): L =
    try {
        bind()
    } catch (e: BindException) {
        throw PrintMessage("cannot listen on $where: ${e.message}", statusCode = 1, printError = true)
    } catch (e: UnresolvedAddressException) {
        throw PrintMessage("cannot listen on $where: no such host", statusCode = 1, printError = true)
    } catch (e: IllegalArgumentException) {
        throw PrintMessage("cannot listen on $where: ${e.message}", statusCode = 1, printError = true)
    }

/** The address as clients write it. */
fun TcpListener.hostAndPort(): String = localAddress().run { "${address.hostAddress}:$port" }

/** Calls [stop] at SIGINT or SIGTERM, upon which the calling thread should end soon: the process waits for it. */
fun atSignal(stop: () -> Unit) {
    val main = Thread.currentThread()
    Runtime.getRuntime()
        .addShutdownHook(
            thread(start = false) {
                stop()
                main.join(5_000)
            }
        )
}

/**
 * Calls [serve] for each connection, in a coroutine of its own, and closes the connection after it. Ends when the
 * listener is closed; then the connections that are left are cancelled. A client that breaks off harms nobody.
 */
suspend fun <A : SocketAddress, S : StreamSocket<A>> ListenerSocket<A, S>.serveEach(serve: suspend (S) -> Unit) =
    supervisorScope {
        connections().collect { stream ->
            launch(start = UNDISPATCHED) {
                try {
                    stream.use { serve(it) }
                } catch (_: IOException) {
                    // The client is gone; there is nobody to tell.
                }
            }
        }
        coroutineContext.cancelChildren()
    }
