/**
 * Kinds of descriptors: each owns its fd (or borrows it, where it says so), is registered with a
 * {@link dev.epoll.Poller}, and offers calls that never block, named {@code try...}. {@code
 * blocking()} gives the same for threads, virtual ones above all.
 */
@NullMarked
package dev.epoll.fd;

import org.jspecify.annotations.NullMarked;
