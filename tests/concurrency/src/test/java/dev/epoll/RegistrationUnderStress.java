package dev.epoll;

import dev.epoll.sys.Linux;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** A registration, one await of it, and the events that a poller's thread takes in. */
class RegistrationUnderStress {
  /** Of a waiter that counts how often it is told. */
  static final class Await implements Waiter {
    private final AtomicInteger readies = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();

    @Override
    public void ready(Readiness readiness) {
      readies.incrementAndGet();
    }

    @Override
    public void failed(IOException cause) {
      failures.incrementAndGet();
    }

    /** All that it was told, in words. */
    String outcomes() {
      return ("ready ".repeat(readies.get()) + "failed ".repeat(failures.get())).trim();
    }
  }

  private final CoreUnderStress core = new CoreUnderStress();
  final Registration registration;
  final Await await = new Await();

  RegistrationUnderStress() {
    try {
      registration = core.registrations.open(7);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  final void arm() {
    try {
      registration.arm(Interest.READABLE, await);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  final boolean armAfter(int edges) {
    try {
      return registration.armAfter(edges, Interest.READABLE, await);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  final boolean cancel() {
    return registration.cancel(await);
  }

  /** What the poll loop does with an event of the last arm. */
  final void event() {
    WaiterQueue.Batch met = new WaiterQueue.Batch();
    int error =
        registration.event(
            registration.lastSequence(), Linux.EPOLLIN, met, new WaiterQueue.Batch());
    if (error != 0) {
      throw new AssertionError("a call failed in a kernel in which none does");
    }
    met.ready(Readiness.of(Linux.EPOLLIN));
  }

  /** Its await waits from the start. */
  static class Armed extends RegistrationUnderStress {
    Armed() {
      arm();
    }
  }

  /** It is edge-triggered from the start, and nobody waits. */
  static class EdgeTriggered extends RegistrationUnderStress {
    EdgeTriggered() {
      boolean ignored = armAfter(-1) && cancel();
    }
  }
}
