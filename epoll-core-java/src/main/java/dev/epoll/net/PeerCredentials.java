package dev.epoll.net;

/**
 * Who is at the other end of a Unix socket (SO_PEERCRED of unix(7)).
 *
 * @param pid the process, as this PID namespace numbers it; 0 if it is of another
 * @param uid the effective user
 * @param gid the effective group
 */
public record PeerCredentials(int pid, int uid, int gid) {}
