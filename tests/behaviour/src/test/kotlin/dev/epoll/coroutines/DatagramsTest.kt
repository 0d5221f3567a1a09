package dev.epoll.coroutines

import dev.epoll.ClosedPollerException
import dev.epoll.net.UdpBatch
import dev.epoll.net.UdpSocket
import dev.epoll.net.UnixAddress
import dev.epoll.net.UnixDatagramSocket
import dev.epoll.testing.PollerScope
import dev.epoll.testing.stillWait
import dev.epoll.testing.withPoller
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.PortUnreachableException
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.supervisorScope

class DatagramsTest :
    FunSpec({
        test("receive waits for a message and tells its sender") {
            withPoller {
                val a = udp()
                val b = udp()
                val target = ByteBuffer.allocate(10)
                val receiver = waiting { b.receive(target) }
                stillWait(receiver)
                a.send(ByteBuffer.allocate(3), b.localAddress())
                receiver.await() shouldBe a.localAddress()
                target.position() shouldBe 3
            }
        }

        test("a cancelled receive takes no message") {
            withPoller {
                val a = udp()
                val b = udp()
                val cancelled = waiting { b.receive(ByteBuffer.allocate(10)) }
                cancelled.cancelAndJoin()
                a.send(ByteBuffer.allocate(3), b.localAddress())
                b.receive(ByteBuffer.allocate(10)) shouldBe a.localAddress()
                shouldThrow<CancellationException> { cancelled.await() }
            }
        }

        test("close ends a receive, and a port that nobody has fails it") {
            withPoller {
                val nobody = udp().run { localAddress().also { close() } }
                supervisorScope {
                    val a = udp().connect(nobody)
                    val failing = waiting { runCatching { a.receive(ByteBuffer.allocate(1)) }.exceptionOrNull() }
                    a.send(ByteBuffer.allocate(1))
                    (failing.await() is PortUnreachableException) shouldBe true
                    val closed = waiting { runCatching { a.receive(ByteBuffer.allocate(1)) }.exceptionOrNull() }
                    a.close()
                    (closed.await() is ClosedChannelException) shouldBe true
                }
            }
        }

        test("batches are sent and received whole") {
            withPoller {
                val a = udp()
                val b = udp()
                val outgoing = UdpBatch.allocate(8, 100)
                val incoming = UdpBatch.allocate(5, 100)
                val receiver = waiting {
                    buildList {
                        while (size < 8) repeat(b.receive(incoming)) { add(incoming.bytes(it).getInt()) }
                    }
                }
                stillWait(receiver)
                repeat(8) { outgoing.add(ByteBuffer.allocate(4).putInt(it).flip(), b.localAddress()) }
                a.send(outgoing)
                receiver.await() shouldBe (0 until 8).toList()
            }
        }

        test("a full queue of a Unix receiver is waited for, connected or not") {
            withPoller {
                val receiver = keep(UnixDatagramSocket.bind(poller, UnixAddress.unnamed()))
                val sender = keep(UnixDatagramSocket.open(poller))
                val address = receiver.localAddress()
                fillQueue { sender.trySend(ByteBuffer.allocate(1), address) }
                    .let { queued ->
                        val waits = waiting { sender.send(ByteBuffer.allocate(1), address) }
                        stillWait(waits)
                        repeat(queued + 1) { receiver.receive(ByteBuffer.allocate(1)) }
                        waits.await()
                    }
                sender.connect(address)
                fillQueue { sender.trySend(ByteBuffer.allocate(1)) }
                    .let { queued ->
                        val waits = waiting { sender.send(ByteBuffer.allocate(1)) }
                        stillWait(waits)
                        repeat(queued + 1) { receiver.receive(ByteBuffer.allocate(1)) }
                        waits.await()
                    }
            }
        }

        test("a sender that waits for a full Unix queue ends with the poller") {
            withPoller {
                val receiver = keep(UnixDatagramSocket.bind(poller, UnixAddress.unnamed()))
                val sender = keep(UnixDatagramSocket.open(poller))
                val address = receiver.localAddress()
                fillQueue { sender.trySend(ByteBuffer.allocate(1), address) }
                val waits = waiting { runCatching { sender.send(ByteBuffer.allocate(1), address) }.exceptionOrNull() }
                stillWait(waits)
                poller.close()
                (waits.await() is ClosedPollerException) shouldBe true
            }
        }
    })

private fun PollerScope.udp(): UdpSocket =
    keep(UdpSocket.bind(poller, InetSocketAddress(InetAddress.getLoopbackAddress(), 0)))

private fun fillQueue(trySend: () -> Boolean): Int {
    var sent = 0
    while (trySend()) sent++
    return sent
}
