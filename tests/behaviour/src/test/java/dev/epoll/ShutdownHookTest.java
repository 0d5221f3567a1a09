package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.examples.ExampleProcess;
import dev.epoll.testing.Eventually;
import dev.epoll.testing.Fds;
import dev.epoll.testing.PollerKind;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A poller is closed while the JVM ends: in a process of its own, which the test may end. */
@Timeout(60)
class ShutdownHookTest {
  /** What the process runs. */
  static final class Child {
    public static void main(String[] arguments) throws Exception {
      Fds fds = new Fds();
      Poller poller = PollerKind.valueOf(arguments[0]).open();
      Registration registration = poller.register(fds.pipe().a());
      RecordingWaiter waiter = new RecordingWaiter();
      registration.arm(Interest.READABLE, waiter);
      Thread blocked = new Thread(() -> block(registration));
      blocked.start();
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    poller.close();
                    waiter.failure(ClosedPollerException.class);
                    join(blocked);
                    System.out.println("closed");
                  }));
      Eventually.parked(blocked);
      System.out.println("waits");
    }

    private static void block(Registration registration) {
      try {
        System.out.println(registration.blockUntil(Interest.READABLE));
      } catch (IOException | InterruptedException e) {
        System.out.println(e.getClass().getSimpleName());
      }
    }

    private static void join(Thread thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.epoll.testing.PollerKind#available")
  void aShutdownHookClosesAPollerAndWhoeverWaitsIsToldBeforeTheJvmEnds(PollerKind kind)
      throws Exception {
    try (ExampleProcess process =
        new ExampleProcess(
            new ProcessBuilder(
                ExampleProcess.Companion.command(Child.class.getName(), kind.name())))) {
      assertEquals("waits", process.getOut().readLine());
      process.signal("TERM");
      assertEquals(List.of("ClosedPollerException", "closed"), process.rest());
      assertEquals(128 + 15, process.end());
      assertEquals(List.of(), process.errors());
    }
  }
}
