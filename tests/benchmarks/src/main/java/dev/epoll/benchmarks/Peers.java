package dev.epoll.benchmarks;

import dev.epoll.benchmarks.servers.CoroutineEcho;
import dev.epoll.benchmarks.servers.NettyEcho;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The programs that are measured, and how each is started. */
final class Peers {
  private static final Path C_SOURCE = Path.of("tests/benchmarks/src/main/c/echo.c");
  private static final Path C_PROGRAM = Path.of("tests/benchmarks/target/echo");

  private final String backend;

  /** The servers of this library use {@code backend}. */
  Peers(String backend) {
    this.backend = backend;
  }

  Peer coroutines(String api, String place) {
    return jvm(
        "%s, %s".formatted(api, place), CoroutineEcho.class, "--api", api, "--run-on", place);
  }

  Peer netty() {
    return jvm("Netty", NettyEcho.class);
  }

  /** Empty where there is no C compiler. */
  Optional<Peer> c(String mode) {
    return compileC()
        ? Optional.of(new Peer("C, " + mode, List.of(C_PROGRAM.toString(), mode)))
        : Optional.empty();
  }

  private static boolean compileC() {
    try {
      if (Files.exists(C_PROGRAM)
          && Files.getLastModifiedTime(C_PROGRAM).compareTo(Files.getLastModifiedTime(C_SOURCE))
              > 0) {
        return true;
      }
      return new ProcessBuilder("gcc", "-O2", "-o", C_PROGRAM.toString(), C_SOURCE.toString())
              .inheritIO()
              .start()
              .waitFor()
          == 0;
    } catch (IOException noCompiler) {
      System.err.println("There is no gcc: the servers in C are left out.");
      return false;
    } catch (InterruptedException e) {
      throw new BenchmarkFailure("interrupted", e);
    }
  }

  private Peer jvm(String name, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // The same for all of them.
    command.addAll(List.of("-XX:+UseSerialGC", "-Xms512m", "-Xmx512m"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("--sun-misc-unsafe-memory-access=allow");
    command.add("-Ddev.epoll.backend=" + backend);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new Peer(name, command);
  }
}
