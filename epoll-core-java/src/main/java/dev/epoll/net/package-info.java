/** Sockets. */
@NullMarked
package dev.epoll.net;

import org.jspecify.annotations.NullMarked;
