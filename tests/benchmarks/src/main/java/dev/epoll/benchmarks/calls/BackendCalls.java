package dev.epoll.benchmarks.calls;

import dev.epoll.sys.Backend;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a call into libc costs; JMH gives each backend a JVM of its own. */
@State(Scope.Thread)
public class BackendCalls {
  /** The backend that is measured. */
  @Param({"ffm", "jnr"})
  public String backend;

  private Syscalls libc;

  /** Chooses the backend. */
  @Setup
  public void choose() {
    System.setProperty(Backend.PROPERTY, backend);
    libc = Backend.syscalls();
  }

  /** The call that does least of those that the library makes. */
  @Benchmark
  public int fcntl() {
    return libc.fcntl(0, Linux.F_GETFD, 0);
  }
}
