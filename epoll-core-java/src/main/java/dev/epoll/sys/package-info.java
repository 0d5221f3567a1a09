/**
 * The seam to libc. Not API: nothing outside this library may rely on it.
 *
 * <p>No policy, no threads, no exceptions: every call of {@link dev.epoll.sys.Syscalls} returns a
 * value {@code >= 0} or {@code -errno}. What an errno means is decided by the class that owns the
 * call's meaning, never here.
 */
@NullMarked
package dev.epoll.sys;

import org.jspecify.annotations.NullMarked;
