/**
 * Awaiting readiness of Linux file descriptors.
 *
 * <pre>
 *   Poller --&gt; PollLoop --&gt; Registrations --&gt; Registration --&gt; WaiterQueue --&gt; Waiter (the caller's code)
 *     |            |               `--&gt; TokenTable --&gt; Token
 *     |            +--&gt; Wakeup, Timers
 *     |            v
 *     `------&gt; EpollFd --&gt; dev.epoll.sys        Epoll (level 1: one kernel set, seen whole) --&gt; EpollFd
 * </pre>
 *
 * <p>Level 1 is {@link dev.epoll.Epoll}, for those who run a loop of their own. Level 2 is {@link
 * dev.epoll.Poller}: rounds on a thread of its own, or where a {@link dev.epoll.PollerDriver} runs
 * them, and awaits on a {@link dev.epoll.Registration} that re-arm one-shot, or rest on edges.
 */
@NullMarked
package dev.epoll;

import org.jspecify.annotations.NullMarked;
