package dev.epoll.coroutines

import dev.epoll.Readiness
import dev.epoll.Registration
import dev.epoll.fd.ByteSink
import dev.epoll.fd.ByteSource
import dev.epoll.fd.EventFd
import java.nio.ByteBuffer

/**
 * Reads what is there into [target], up to its limit, and suspends as long as there is nothing.
 *
 * Cancellable while it suspends; nothing is read then, and [target] is not touched later. As long as there are bytes it
 * does not suspend, and so neither checks for cancellation nor lets others have the thread: a loop that reads from a
 * fast peer on a thread that it shares should call `yield()` now and then. Who has awaited readiness already calls
 * [ByteSource.tryRead] instead: after a read that found less than there was room for, this function awaits first,
 * unless the descriptor knows of something new.
 *
 * @return how many bytes, 0 only if [target] has no room, or -1 at the end of the stream
 * @throws IllegalArgumentException if [target] is read-only
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 * @throws java.io.IOException if the read failed
 */
public suspend inline fun ByteSource.read(target: ByteBuffer): Int {
    require(!target.isReadOnly) { "cannot read into a read-only buffer: $target" }
    if (!isDrained || !target.hasRemaining()) {
        val count = tryRead(target)
        if (count != 0 || !target.hasRemaining()) return count
    }
    while (true) {
        awaitReadable()
        val count = tryRead(target)
        if (count != 0) return count
    }
}

/**
 * Suspends until a read is likely to find something: for those who want a buffer only then. Returns at once where the
 * descriptor knows that the last read left something, or that something came since. Only a read tells for sure.
 * Cancellable while it suspends.
 *
 * Where all reads and writes of a connection go through this object, as they do with the sockets of `dev.epoll.net`,
 * this costs no system call, which [Registration.awaitReadable] on its [ByteSource.registration] does.
 *
 * @return what the kernel reported, or [Readiness.NONE] if there was nothing to wait for
 * @throws dev.epoll.ClosedRegistrationException if the descriptor is closed, before or while waiting
 * @throws dev.epoll.ClosedPollerException if the poller is closed, before or while waiting
 */
public suspend inline fun ByteSource.awaitReadable(): Readiness = awaitUnchecked().ifActive()

/**
 * Suspends until a write is likely to be taken. Returns at once where the descriptor knows that the last write was, or
 * that there has been room since. Otherwise as [ByteSource.awaitReadable].
 */
public suspend inline fun ByteSink.awaitWritable(): Readiness = awaitUnchecked().ifActive()

@PublishedApi internal suspend fun ByteSource.awaitUnchecked(): Readiness = awaitOn(registration()) { armRead(it) }

@PublishedApi internal suspend fun ByteSink.awaitUnchecked(): Readiness = awaitOn(registration()) { armWrite(it) }

/**
 * Writes some of [source], at least a byte unless none remains, and suspends as long as the descriptor takes nothing.
 *
 * Cancellable while it suspends; nothing is written then.
 *
 * @return how many bytes
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 * @throws java.io.IOException if the write failed: [dev.epoll.SyscallException] EPIPE where nobody will read any more
 */
public suspend inline fun ByteSink.write(source: ByteBuffer): Int {
    while (true) {
        val count = tryWrite(source)
        if (count > 0 || !source.hasRemaining()) return count
        awaitWritable()
    }
}

/**
 * Writes all of [source]. If it is cancelled or fails, the position of [source] tells how much was written.
 *
 * @throws java.io.IOException as [write]
 */
public suspend inline fun ByteSink.writeFully(source: ByteBuffer) {
    while (source.hasRemaining()) write(source)
}

/**
 * Takes the value of the counter, or one of a semaphore, and suspends as long as it is zero. Cancellable while it
 * suspends; nothing is taken then.
 *
 * @return what was taken, as an unsigned number
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 */
public suspend fun EventFd.take(): ULong {
    while (true) {
        val taken = tryTake()
        if (taken != EventFd.EMPTY) return taken.toULong()
        registration().awaitReadable()
    }
}

/**
 * Adds [value] to the counter, and suspends as long as it has no room. Cancellable while it suspends; nothing is added
 * then.
 *
 * @throws IllegalArgumentException if [value] is more than [EventFd.MAX_VALUE]
 * @throws java.nio.channels.ClosedChannelException if the descriptor is closed, before or while waiting
 */
public suspend fun EventFd.add(value: ULong) {
    while (!tryAdd(value.toLong())) registration().awaitWritable()
}
