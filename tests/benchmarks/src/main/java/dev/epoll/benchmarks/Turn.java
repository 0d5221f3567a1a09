package dev.epoll.benchmarks;

/** A server's turn: it has its core to itself, and is measured. */
final class Turn {
  private static final int WARM_UPS = 3;

  private final Lab lab;
  private final ServerProcess server;
  private final LoadClient client;

  Turn(Lab lab, ServerProcess server, LoadClient client) {
    this.lab = lab;
    this.server = server;
    this.client = client;
  }

  /** Turns that are not counted, for the JVM's compilers. */
  void warm() {
    for (int i = 0; i < WARM_UPS; i++) {
      Load unused = client.run(lab.effort().warmMillis());
    }
  }

  Measurement measure() {
    Calm<Measurement> calm =
        Calm.measure(
            lab.effort(),
            () -> Disturbance.watch(lab.machine(), server),
            () -> {
              long cpu = server.cpuNanos();
              Load load = client.run(lab.effort().millis());
              return Measurement.of(load, server.cpuNanos() - cpu);
            });
    return calm.result().with(calm.disturbance());
  }
}
