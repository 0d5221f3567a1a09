package dev.epoll.benchmarks.startup;

import dev.epoll.Interest;
import dev.epoll.Poller;
import dev.epoll.fd.EventFd;
import java.io.IOException;
import java.util.concurrent.ExecutionException;

/** From the start of the JVM to the first await that is over, by the Java core alone. */
public final class FirstAwait {
  private FirstAwait() {}

  /** Says so once the await is over. */
  public static void main(String[] arguments)
      throws IOException, ExecutionException, InterruptedException {
    try (Poller poller = Poller.open()) {
      EventFd eventFd = EventFd.counter(poller, 0);
      var ready = eventFd.registration().whenReady(Interest.READABLE);
      if (!eventFd.tryAdd(1) || !ready.get().isReadable()) {
        throw new AssertionError("not readable");
      }
      System.out.println("done");
    }
  }
}
