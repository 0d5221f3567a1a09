package dev.epoll.benchmarks.calls;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Suspend functions. */
@State(Scope.Thread)
public class CoroutineCalls {
  static final int COUNT = 10_000;

  private Suspending suspending;

  /** Opens what they suspend on. */
  @Setup
  public void open() {
    suspending = new Suspending();
  }

  /** Closes it. */
  @TearDown
  public void close() {
    suspending.close();
  }

  /** {@code awaitReadable()}, suspended and resumed. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public void awaitReadable() {
    suspending.awaits(COUNT);
  }

  /** A stream's {@code read(ByteBuffer)} that suspends, and the write of a byte that resumes it. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public void readThatSuspends() {
    suspending.reads(COUNT);
  }
}
