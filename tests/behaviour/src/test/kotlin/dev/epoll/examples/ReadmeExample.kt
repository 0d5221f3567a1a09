package dev.epoll.examples

import dev.epoll.Poller
import dev.epoll.coroutines.connections
import dev.epoll.coroutines.read
import dev.epoll.coroutines.writeFully
import dev.epoll.net.TcpListener
import dev.epoll.net.TcpStream
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope

// README
suspend fun serve(address: InetSocketAddress) =
    Poller.open().use { poller ->
        TcpListener.bind(poller, address).use { listener ->
            supervisorScope {
                listener.connections().collect { stream -> launch(start = UNDISPATCHED) { stream.use { echo(it) } } }
            }
        }
    }

suspend fun echo(stream: TcpStream) {
    val buffer = ByteBuffer.allocate(8192)
    while (stream.read(buffer) >= 0) {
        stream.writeFully(buffer.flip())
        buffer.clear()
    }
}
// END README
