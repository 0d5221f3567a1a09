package dev.epoll.benchmarks;

/** A server's turn: it has its core to itself, and is measured. */
final class Turn implements AutoCloseable {
  private final Lab lab;
  private final ServerProcess server;
  private final LoadClient client;

  private Turn(Lab lab, ServerProcess server, LoadClient client) {
    this.lab = lab;
    this.server = server;
    this.client = client;
  }

  /** Connects to {@code server}, and has turns that are not counted, for the JVM's compilers. */
  static Turn warm(Lab lab, ServerProcess server, int connections) {
    LoadClient client = LoadClient.connect(server.name(), server.port(), connections);
    client.greet();
    for (int i = 0; i < lab.effort().warmUps(); i++) {
      Load unused = client.run(lab.effort().warmMillis());
    }
    return new Turn(lab, server, client);
  }

  /** The server's. */
  String name() {
    return server.name();
  }

  Calm<Measurement> measure(int millis) {
    return Calm.measure(
        lab.effort(),
        () -> Disturbance.watch(lab.machine(), server),
        () -> {
          long cpu = server.cpuNanos();
          Load load = client.run(millis);
          return new Measurement(load, server.cpuNanos() - cpu);
        });
  }

  @Override
  public void close() {
    client.close();
  }
}
