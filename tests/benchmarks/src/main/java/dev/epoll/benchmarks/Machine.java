package dev.epoll.benchmarks;

import java.util.List;

/**
 * What the benchmarks run on: servers on one core, the client (this process) on another. Cores have
 * the numbers that taskset gives them, or -1 if there is only one, which all share.
 */
record Machine(int clientCore, int serverCore) {
  /** What is put before a command so that it runs on the servers' core. */
  List<String> pinToServerCore() {
    return pin(Integer.toString(serverCore));
  }

  /** The same for a command that is to run on both. */
  List<String> pinToBothCores() {
    return pin(clientCore + "," + serverCore);
  }

  private List<String> pin(String cores) {
    return serverCore < 0 ? List.of() : List.of("taskset", "-c", cores);
  }
}
