package dev.epoll.coroutines

import dev.epoll.Interest
import dev.epoll.Poller
import dev.epoll.Readiness
import dev.epoll.Registration
import dev.epoll.Waiter
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.ThreadContextElement
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
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
public suspend inline fun Registration.awaitReadable(): Readiness = await(Interest.READABLE)

/** Suspends until the fd takes at least a byte, or its connect has ended. Otherwise as [awaitReadable]. */
public suspend inline fun Registration.awaitWritable(): Readiness = await(Interest.WRITABLE)

/** Suspends until the fd is ready for any part of [interest]. Otherwise as [awaitReadable]. */
public suspend inline fun Registration.await(interest: Interest): Readiness {
    val readiness = awaitUnchecked(interest).ifActive()
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
public suspend inline fun Poller.awaitReadable(fd: Int): Readiness = await(fd, Interest.READABLE)

/** Suspends until [fd] takes at least a byte, or its connect has ended. Otherwise as [Poller.awaitReadable]. */
public suspend inline fun Poller.awaitWritable(fd: Int): Readiness = await(fd, Interest.WRITABLE)

/** Suspends until [fd] is ready for any part of [interest]. Otherwise as [Poller.awaitReadable]. */
public suspend inline fun Poller.await(fd: Int, interest: Interest): Readiness = awaitUnchecked(fd, interest).ifActive()

/** [Poller.awaitReadable] on [Poller.shared]. */
public suspend fun awaitReadable(fd: Int): Readiness = Poller.shared().awaitReadable(fd)

/** [Poller.awaitWritable] on [Poller.shared]. */
public suspend fun awaitWritable(fd: Int): Readiness = Poller.shared().awaitWritable(fd)

// What really suspends. These end in the suspension itself, so that they need no frame, and those which look around
// afterwards are inline, so that their frame is the caller's: a coroutine that waits holds little else.

/** For prompt cancellation: an await that ended well does not end well for one who was cancelled meanwhile. */
@PublishedApi
internal suspend inline fun Readiness.ifActive(): Readiness {
    currentCoroutineContext().ensureActive()
    return this
}

@PublishedApi
internal suspend fun Registration.awaitUnchecked(interest: Interest): Readiness =
    awaitOn(this) {
        arm(interest, it)
        true
    }

@PublishedApi
internal suspend fun Poller.awaitUnchecked(fd: Int, interest: Interest): Readiness = suspendUntilTold { caller ->
    val await = FdAwait(caller)
    await.start { await.armed = arm(fd, interest, await) }
}

/** An await on [registration] that [arm] starts; it returns false if there is nothing to wait for. */
internal suspend inline fun awaitOn(registration: Registration, crossinline arm: (Waiter) -> Boolean): Readiness =
    suspendUntilTold { caller ->
        val await = RegistrationAwait(registration, caller)
        await.start { if (!arm(await)) return@suspendUntilTold await.needless() }
    }

private suspend inline fun suspendUntilTold(crossinline block: (Continuation<Readiness>) -> Any): Readiness =
    if (currentCoroutineContext().fold(false, orIsThreadElement)) suspendWithThreadElements { block(it) }
    else suspendCoroutineUninterceptedOrReturn { block(it) }

/** The same where a resumption has to set up something on the thread, and to take it back: only kotlinx can do both. */
private suspend inline fun suspendWithThreadElements(crossinline block: (Continuation<Readiness>) -> Any): Readiness =
    suspendCancellableCoroutine { caller ->
        val readiness =
            try {
                block(caller)
            } catch (e: Throwable) {
                caller.resumeWithException(e)
                COROUTINE_SUSPENDED
            }
        if (readiness !== COROUTINE_SUSPENDED) caller.resume(readiness as Readiness)
    }

private val orIsThreadElement = { found: Boolean, element: CoroutineContext.Element ->
    found || element is ThreadContextElement<*>
}
