package dev.epoll.net;

/**
 * Who is at the other end of a Unix socket (SO_PEERCRED of unix(7)).
 *
 * @param pid the process, as this PID namespace numbers it; 0 if it is of another
 * @param uid the effective user, as an unsigned int
 * @param gid the effective group, as an unsigned int
 */
public record PeerCredentials(int pid, long uid, long gid) {}
