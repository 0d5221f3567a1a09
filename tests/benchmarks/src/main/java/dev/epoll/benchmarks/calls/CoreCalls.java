package dev.epoll.benchmarks.calls;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.Readiness;
import dev.epoll.Registration;
import dev.epoll.Waiter;
import dev.epoll.fd.EventFd;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The primitive that all awaits are made of. */
@State(Scope.Thread)
public class CoreCalls {
  static final int COUNT = 10_000;

  private Poller poller;
  private Chain chain;

  /** Opens a poller. */
  @Setup
  public void open() throws IOException {
    poller = Poller.open();
    // Always readable, for nobody takes what it holds.
    chain = new Chain(EventFd.counter(poller, 1).registration());
  }

  /** Closes it. */
  @TearDown
  public void close() {
    poller.close();
  }

  /** An arm, the event, and the call of the waiter, which arms again: all on the poller thread. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public void armAndResume() throws IOException, InterruptedException {
    chain.run(COUNT);
  }

  private static final class Chain implements Waiter {
    private final Registration registration;
    private final Semaphore done = new Semaphore(0);
    private int left;
    private IOException failure;

    Chain(Registration registration) {
      this.registration = registration;
    }

    void run(int count) throws IOException, InterruptedException {
      left = count;
      registration.arm(Interest.READABLE, this);
      done.acquire();
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public void ready(Readiness readiness) {
      if (--left == 0) {
        done.release();
        return;
      }
      try {
        registration.arm(Interest.READABLE, this);
      } catch (IOException e) {
        failed(e);
      }
    }

    @Override
    public void failed(IOException cause) {
      failure = cause;
      done.release();
    }
  }
}
