package dev.epoll.coroutines

import dev.epoll.Cancellable
import dev.epoll.Readiness
import dev.epoll.Registration
import dev.epoll.Waiter
import java.io.IOException
import kotlin.coroutines.Continuation
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.intercepted
import kotlinx.coroutines.CompletionHandler
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Job

/**
 * One await of a coroutine: its waiter, and what the cancellation of its job calls, in one object, because there is one
 * for each time that a coroutine waits.
 *
 * ```
 *   start --- arm ---> WAITING --- ready, failed, or the job is cancelled and cancel() is true ---> the caller is resumed
 *     |--- arm throws, or there is nothing to wait for: the caller goes on
 *     `--- the job was cancelled meanwhile and cancel() is true: start throws
 * ```
 *
 * The engine sees to it that exactly one of the three happens, so there is nothing to decide here, which is what a
 * `CancellableContinuation` would do once more. For prompt cancellation, whoever suspends here looks once more whether
 * the job is active when it goes on.
 *
 * Thread: [start] on the coroutine's; [ready] and [failed] as [Waiter] says; [invoke] on the one that cancels.
 */
@OptIn(InternalCoroutinesApi::class)
internal abstract class CoroutineAwait(private val caller: Continuation<Readiness>) : Waiter, CompletionHandler {
    /**
     * Ordering: plain, because it is written before the await is armed, and read by whoever has ended it, under the
     * same lock.
     */
    private var cancellation: DisposableHandle? = null

    /** Ends the await in the engine; true if it was waiting, and will not be told. */
    abstract fun cancel(): Boolean

    /** Arms with [arm] and suspends, unless the job is cancelled, or [arm] fails. */
    inline fun start(arm: () -> Unit): Any {
        val job = job()
        listen(job)
        try {
            arm()
        } catch (e: Throwable) {
            stopListening()
            throw e
        }
        return suspended(job)
    }

    /** Looked up where it is needed, because each await that waits would hold it besides. */
    fun job(): Job? = caller.context[Job]

    fun listen(job: Job?) {
        if (job == null) return
        // A coroutine that was cancelled before it came here must not touch epoll.
        if (!job.isActive) throw job.getCancellationException()
        cancellation = job.invokeOnCompletion(onCancelling = true, handler = this)
    }

    fun stopListening() {
        cancellation?.dispose()
    }

    fun suspended(job: Job?): Any {
        // Ordering: whoever cancelled before there was something to cancel did so in vain, and it is up to us.
        if (job != null && !job.isActive && cancel()) {
            stopListening()
            throw job.getCancellationException()
        }
        return COROUTINE_SUSPENDED
    }

    /** Ends it before it waits. */
    fun needless(): Readiness {
        stopListening()
        return Readiness.NONE
    }

    override fun ready(readiness: Readiness) {
        stopListening()
        val continuation = if (caller.context.goesOnHere()) caller else caller.intercepted()
        continuation.resumeWith(Result.success(readiness))
    }

    override fun failed(cause: IOException) = resume(cause)

    override fun invoke(cause: Throwable?) {
        if (cancel()) resume(job()!!.getCancellationException())
    }

    private fun resume(cause: Exception) {
        stopListening()
        caller.intercepted().resumeWith(Result.failure(cause))
    }
}

internal class RegistrationAwait(private val registration: Registration, caller: Continuation<Readiness>) :
    CoroutineAwait(caller) {
    override fun cancel(): Boolean = registration.cancel(this)
}

/** An await by the bare number of an fd. */
internal class FdAwait(caller: Continuation<Readiness>) : CoroutineAwait(caller) {
    /** Ordering: volatile, because it is written after the await is armed, and read by whoever cancels. */
    @Volatile var armed: Cancellable? = null

    override fun cancel(): Boolean = armed?.cancel() ?: false
}
