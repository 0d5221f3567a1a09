package dev.epoll.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChildProcessTest {
  @Test
  void whatTakesTooLongIsKilled() {
    try (ChildProcess child = start("exec sleep 600")) {
      assertThrows(
          BenchmarkFailure.class,
          () -> child.within(Duration.ofMillis(100), process -> process.onExit().join()));
    }
  }

  @Test
  void whatItStartedIsKilledWithIt() {
    List<ProcessHandle> started;
    try (ChildProcess child = start("sleep 600 & echo && wait")) {
      awaitOutput(child);
      started = child.process().descendants().toList();
    }
    assertEquals(1, started.size());
    started.forEach(it -> it.onExit().join());
  }

  @Test
  void itEndsWithWhoeverStartedIt() throws Exception {
    FutureTask<ChildProcess> starter =
        new FutureTask<>(
            () -> {
              ChildProcess child = start("echo && exec sleep 600");
              awaitOutput(child);
              return child;
            });
    Thread.ofPlatform().start(starter).join();
    try (ChildProcess child = starter.get()) {
      assertEquals(137, child.process().onExit().join().exitValue());
    }
  }

  @Test
  void aCommandThatFailsOrIsNotThereIsAFailure() {
    assertThrows(BenchmarkFailure.class, () -> Command.run(List.of("false")));
    assertThrows(BenchmarkFailure.class, () -> Command.run(List.of("/no/such/command")));
  }

  private static ChildProcess start(String script) {
    return ChildProcess.start(script, new ProcessBuilder("sh", "-c", script));
  }

  private static void awaitOutput(ChildProcess child) {
    try {
      assertEquals('\n', child.process().getInputStream().read());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
