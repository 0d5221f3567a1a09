package dev.epoll;

/**
 * Counts since a poller was opened. At rest, {@code arms} is the sum of {@code resumes}, {@code
 * cancels}, {@code failures} and the awaits that are still waiting.
 *
 * @param arms awaits begun
 * @param resumes awaits that ended with readiness
 * @param cancels awaits that were cancelled
 * @param failures awaits that ended with an exception, at the call or later
 * @param epollControls calls of epoll_ctl(2)
 * @param waits calls of epoll_wait(2) or epoll_pwait2(2)
 * @param events events that those calls brought, wakeups not counted
 * @param staleEvents events of an earlier arm or a closed registration, dropped
 * @param wakeups eventfd writes that ended a wait early
 * @param tasks tasks and timers run
 */
public record PollerStats(
    long arms,
    long resumes,
    long cancels,
    long failures,
    long epollControls,
    long waits,
    long events,
    long staleEvents,
    long wakeups,
    long tasks) {}
