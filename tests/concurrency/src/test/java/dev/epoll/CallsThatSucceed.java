package dev.epoll;

import dev.epoll.sys.Syscalls;
import java.lang.reflect.Proxy;

/**
 * A kernel in which each call succeeds and nothing happens, so that a state with a poller's core in
 * it is made in no time.
 */
final class CallsThatSucceed {
  /** Thread: any; synchronized with nothing, or else it would order what is to be in no order. */
  private int writes;

  final Syscalls syscalls =
      (Syscalls)
          Proxy.newProxyInstance(
              Syscalls.class.getClassLoader(),
              new Class<?>[] {Syscalls.class},
              (proxy, method, args) -> {
                if (method.getName().equals("write")) {
                  writes++;
                }
                return method.getReturnType() == long.class ? (Object) 0L : (Object) 0;
              });

  /** Whether the wakeup's eventfd was written to. Thread: an arbiter's. */
  boolean hasWritten() {
    return writes > 0;
  }
}
