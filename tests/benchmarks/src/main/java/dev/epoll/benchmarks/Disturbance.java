package dev.epoll.benchmarks;

import java.lang.management.ManagementFactory;

/**
 * How much of the two cores something else had during a turn: another program, or, in a virtual
 * machine, the host. A turn is measured again if it was much.
 *
 * <p>Thread: that of the client, if it is here: it must never be idle.
 */
final class Disturbance {
  private final Machine machine;
  private final ServerProcess server;
  private final boolean clientIsHere;
  private final long startNanos = System.nanoTime();
  private final long startClient = clientNanos();
  private final long startServer;
  private final long startIdle;

  private Disturbance(Machine machine, ServerProcess server, boolean clientIsHere) {
    this.machine = machine;
    this.server = server;
    this.clientIsHere = clientIsHere;
    this.startServer = server.cpuNanos();
    this.startIdle = Machine.idleNanos(machine.serverCore());
  }

  /** Begins to watch {@code server} and the calling thread. */
  static Disturbance watch(Machine machine, ServerProcess server) {
    return new Disturbance(machine, server, true);
  }

  /** Begins to watch {@code server}, whose client is another process. */
  static Disturbance watchServer(Machine machine, ServerProcess server) {
    return new Disturbance(machine, server, false);
  }

  /** The share of the time since that the client or the server's core went to something else. */
  double share() {
    double elapsed = System.nanoTime() - startNanos;
    if (machine.serverCore() < 0) {
      return 0;
    }
    double client = clientIsHere ? (clientNanos() - startClient) / elapsed : 1;
    double serverCore =
        (server.cpuNanos() - startServer + Machine.idleNanos(machine.serverCore()) - startIdle)
            / elapsed;
    return Math.max(0, 1 - Math.min(client, serverCore));
  }

  private static long clientNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }
}
