package dev.epoll.benchmarks;

import java.util.List;

/**
 * What the benchmarks run on: servers on one core, the client (this process) on another.
 *
 * @param serverCore as taskset numbers it; -1 if there is only one, which all share
 */
record Machine(int serverCore) {
  /** What is put before a command so that it runs on the servers' core. */
  List<String> pinToServerCore() {
    return serverCore < 0 ? List.of() : List.of("taskset", "-c", Integer.toString(serverCore));
  }
}
