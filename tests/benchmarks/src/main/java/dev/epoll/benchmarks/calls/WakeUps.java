package dev.epoll.benchmarks.calls;

import java.util.concurrent.SynchronousQueue;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One thread wakes another, which wakes the first. */
@State(Scope.Thread)
public class WakeUps {
  static final int COUNT = 1_000;

  private Suspending suspending;
  private SynchronousQueue<Boolean> ping;
  private SynchronousQueue<Boolean> pong;
  private Thread partner;

  /** Starts the partner of the queues. */
  @Setup
  public void open() {
    suspending = new Suspending();
    ping = new SynchronousQueue<>();
    pong = new SynchronousQueue<>();
    partner = new Thread(this::answer);
    partner.start();
  }

  /** Ends it. */
  @TearDown
  public void close() {
    suspending.close();
    partner.interrupt();
  }

  private void answer() {
    try {
      while (true) {
        pong.put(ping.take());
      }
    } catch (InterruptedException end) {
      // The benchmark is over.
    }
  }

  /** Coroutines parked on two poller threads, woken by eventfd writes. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public void eventFdRoundTrip() {
    suspending.roundTrips(COUNT);
  }

  /** Platform threads parked in a queue that hands over. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public void synchronousQueueRoundTrip() throws InterruptedException {
    for (int i = 0; i < COUNT; i++) {
      ping.put(true);
      if (!pong.take()) {
        throw new AssertionError("another value came back");
      }
    }
  }
}
