package dev.epoll.benchmarks;

/** A server's turn: it has the machine to itself, and is measured. */
final class Turn {
  private static final int WARM_UPS = 3;
  private static final int TRIES = 6;

  private final Machine machine;
  private final Effort effort;
  private final ServerProcess server;
  private final LoadClient client;

  Turn(Lab lab, ServerProcess server, LoadClient client) {
    this.machine = lab.machine();
    this.effort = lab.effort();
    this.server = server;
    this.client = client;
  }

  /** Turns that are not counted, for the JVM's compilers. */
  void warm() {
    for (int i = 0; i < WARM_UPS; i++) {
      Load unused = client.run(effort.warmMillis());
    }
  }

  /** Measures, again if something else had a core meanwhile, and takes the calmest. */
  Measurement measure() {
    Measurement calmest = measureOnce();
    for (int i = 1; i < TRIES && calmest.disturbance() > effort.disturbance(); i++) {
      Progress.say(
          "again, as something else had %.0f %% of a core".formatted(calmest.disturbance() * 100));
      Measurement next = measureOnce();
      if (next.disturbance() < calmest.disturbance()) {
        calmest = next;
      }
    }
    return calmest;
  }

  private Measurement measureOnce() {
    Disturbance disturbance = Disturbance.watch(machine, server);
    long cpu = server.cpuNanos();
    Load load = client.run(effort.millis());
    return Measurement.of(load, server.cpuNanos() - cpu, disturbance.share());
  }
}
