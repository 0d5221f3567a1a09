package dev.epoll.coroutines

import dev.epoll.Interest
import dev.epoll.Poller
import dev.epoll.Readiness
import dev.epoll.Registration
import dev.epoll.Waiter
import java.io.IOException
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletionHandler
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * Suspends until a read of the fd returns at once: there are bytes, a connection to accept, or the end of the stream.
 *
 * The result is a hint: somebody else may take what is there, so try, and await again if it would block. Any number of
 * coroutines may await one fd; they are resumed together.
 *
 * This function is cancellable, with the prompt cancellation guarantee: if the job of the current coroutine is
 * cancelled while it waits, or was when it began, it throws [CancellationException]. Cancelling costs no system call,
 * and no readiness is lost by it, for the next await asks the kernel again.
 *
 * @throws dev.epoll.ClosedRegistrationException if the registration is closed, before or while waiting
 * @throws dev.epoll.ClosedPollerException if the poller is closed, before or while waiting
 * @throws dev.epoll.SyscallException if the fd was closed while it was registered
 */
public suspend fun Registration.awaitReadable(): Readiness = await(Interest.READABLE)

/** Suspends until the fd takes at least a byte, or its connect has ended. Otherwise as [awaitReadable]. */
public suspend fun Registration.awaitWritable(): Readiness = await(Interest.WRITABLE)

/** Suspends until the fd is ready for any part of [interest]. Otherwise as [awaitReadable]. */
public suspend fun Registration.await(interest: Interest): Readiness {
    val readiness =
        awaitOn(this) {
            arm(interest, it)
            true
        }
    // Whoever closed it before this coroutine had its turn may have closed the fd too, and its number may have a new
    // owner.
    ensureOpen()
    return readiness
}

/**
 * Suspends until a read of [fd] returns at once. Registers [fd] for this one await, or joins the registration that it
 * has with this poller. Keep [fd] open until it returns. Otherwise as [Registration.awaitReadable].
 *
 * @throws dev.epoll.SyscallException if [fd] cannot be polled, such as a regular file (EPERM), or is not open (EBADF)
 */
public suspend fun Poller.awaitReadable(fd: Int): Readiness = await(fd, Interest.READABLE)

/** Suspends until [fd] takes at least a byte, or its connect has ended. Otherwise as [Poller.awaitReadable]. */
public suspend fun Poller.awaitWritable(fd: Int): Readiness = await(fd, Interest.WRITABLE)

/** Suspends until [fd] is ready for any part of [interest]. Otherwise as [Poller.awaitReadable]. */
public suspend fun Poller.await(fd: Int, interest: Interest): Readiness = suspendCancellableCoroutine { continuation ->
    startAwait(continuation) {
        val armed = arm(fd, interest, ContinuationWaiter(continuation))
        continuation.invokeOnCancellation { armed.cancel() }
    }
}

/** [Poller.awaitReadable] on [Poller.shared]. */
public suspend fun awaitReadable(fd: Int): Readiness = Poller.shared().awaitReadable(fd)

/** [Poller.awaitWritable] on [Poller.shared]. */
public suspend fun awaitWritable(fd: Int): Readiness = Poller.shared().awaitWritable(fd)

/** An await on [registration] that [arm] starts; it returns false if there is nothing to wait for. */
internal suspend inline fun awaitOn(registration: Registration, crossinline arm: (Waiter) -> Boolean): Readiness =
    suspendCancellableCoroutine { continuation ->
        startAwait(continuation) {
            val waiter = RegistrationWaiter(registration, continuation)
            if (arm(waiter)) continuation.invokeOnCancellation(waiter) else continuation.resume(Readiness.NONE)
        }
    }

internal inline fun startAwait(continuation: CancellableContinuation<Readiness>, start: () -> Unit) {
    // A coroutine that was cancelled before it came here must not touch epoll.
    if (continuation.isActive) {
        try {
            start()
        } catch (e: IOException) {
            continuation.resumeWithException(e)
        }
    }
}

/**
 * A suspended coroutine as a waiter.
 *
 * Thread: the poller thread resumes; the continuation itself decides between that and a cancellation at the same time,
 * and hands over to the coroutine's dispatcher.
 */
internal open class ContinuationWaiter(private val continuation: CancellableContinuation<Readiness>) : Waiter {
    override fun ready(readiness: Readiness) = continuation.resume(readiness)

    override fun failed(cause: IOException) = continuation.resumeWithException(cause)
}

/** The same for one that waits on [registration], and what cancels it: one object, because each await needs both. */
internal class RegistrationWaiter(
    private val registration: Registration,
    continuation: CancellableContinuation<Readiness>,
) : ContinuationWaiter(continuation), CompletionHandler {
    override fun invoke(cause: Throwable?) {
        registration.cancel(this)
    }
}
