package dev.epoll.testing;

import java.util.Map;

/** The open fds that a leak would show in; jars and devices that the JVM opens are left out. */
public final class Descriptors {
  private Descriptors() {}

  /** What every open socket, pipe and anonymous inode of this process is, by number. */
  public static Map<Integer, String> openNow() {
    Map<Integer, String> fds = Fds.openNow();
    fds.values().removeIf(what -> what.startsWith("/"));
    return fds;
  }
}
