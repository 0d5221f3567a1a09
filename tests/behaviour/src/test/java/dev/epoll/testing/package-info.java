/** What the tests share: calls that only tests make, and ways to wait for a state. */
package dev.epoll.testing;
