package dev.epoll.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How much of the two cores something else had during a turn: another program, or, in a virtual
 * machine, the host. A turn is measured again if it was much.
 *
 * <p>Thread: that of the client, if it is here: it must never be idle.
 */
final class Disturbance {
  // Fields of a line of /proc/stat (proc_stat(5))
  private static final int IDLE = 4;
  private static final int IOWAIT = 5;

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
    this.startIdle = idleNanos();
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
    double serverCore = (server.cpuNanos() - startServer + idleNanos() - startIdle) / elapsed;
    return Math.max(0, 1 - Math.min(client, serverCore));
  }

  private static long clientNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private long idleNanos() {
    try {
      String core = "cpu" + machine.serverCore() + " ";
      for (String line : Files.readAllLines(Path.of("/proc/stat"))) {
        if (line.startsWith(core)) {
          String[] fields = line.split(" ", -1);
          return (Long.parseLong(fields[IDLE]) + Long.parseLong(fields[IOWAIT]))
              * ServerProcess.NANOS_PER_TICK;
        }
      }
      return 0;
    } catch (IOException e) {
      throw new BenchmarkFailure("/proc/stat can't be read", e);
    }
  }
}
