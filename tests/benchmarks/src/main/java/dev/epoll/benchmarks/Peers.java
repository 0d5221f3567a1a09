package dev.epoll.benchmarks;

import dev.epoll.benchmarks.servers.BlockingEcho;
import dev.epoll.benchmarks.servers.CoroutineEcho;
import dev.epoll.benchmarks.servers.JdkVirtualEcho;
import dev.epoll.benchmarks.servers.KtorEcho;
import dev.epoll.benchmarks.servers.NettyEcho;
import dev.epoll.benchmarks.servers.NettyPlaintext;
import dev.epoll.benchmarks.servers.SelectorEcho;
import dev.epoll.examples.HttpKt;
import dev.epoll.sys.Backend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The programs that are measured, and how each is started. */
final class Peers {
  private static final Path C_SOURCE = Path.of("tests/benchmarks/src/main/c/echo.c");
  private static final Path C_PROGRAM = Path.of("tests/benchmarks/target/echo");

  private final String backend;

  /** The servers of this library use {@code backend}. */
  Peers(String backend) {
    this.backend = backend;
  }

  /** Suspending reads, on the poller thread. */
  Peer stream() {
    return jvm("epoll-coroutines", CoroutineEcho.class);
  }

  /** One await for each message, on the poller thread. */
  Peer await() {
    return jvm("epoll-coroutines, await", CoroutineEcho.class, "--api", "await");
  }

  /** Suspending reads on Dispatchers.Default; {@code poller} is own or sub. */
  Peer streamOnDefault(String poller) {
    return jvm(
        "epoll-coroutines on Default, " + poller,
        CoroutineEcho.class,
        "--run-on",
        "default",
        "--poller",
        poller);
  }

  /** Blocking channels on virtual threads; {@code poller} is own or sub. */
  Peer blocking(String poller) {
    return jvm("epoll-coroutines blocking(), " + poller, BlockingEcho.class, "--poller", poller);
  }

  Peer netty() {
    return jvm("Netty", NettyEcho.class);
  }

  Peer selector() {
    return jvm("java.nio Selector", SelectorEcho.class);
  }

  Peer jdkVirtualThreads() {
    return jvm("JDK virtual threads", JdkVirtualEcho.class);
  }

  Peer ktor() {
    return jvm("Ktor", KtorEcho.class);
  }

  /** The example's web server. */
  Peer httpExample() {
    return jvm("epoll-coroutines, http example", HttpKt.class, "--port", "0");
  }

  Peer nettyPlaintext() {
    return jvm("Netty, HttpServerCodec", NettyPlaintext.class);
  }

  Peer cLevelTriggered() {
    return c("C, level-triggered", "level");
  }

  Peer cOneshot() {
    return c("C, ONESHOT", "oneshot");
  }

  /** The least that a web server can do: it reads nothing of a request but where its head ends. */
  Peer cHttp() {
    return c("C, the same answer to all", "http");
  }

  /** The same server in a process that has a second thread, as every JVM has. */
  Peer withThreads(Peer c) {
    List<String> command = new ArrayList<>(c.command());
    command.add("threads");
    return new Peer(c.name() + ", threads", command);
  }

  private static Peer c(String name, String mode) {
    var unused =
        Command.run(
            List.of("gcc", "-O2", "-pthread", "-o", C_PROGRAM.toString(), C_SOURCE.toString()));
    return new Peer(name, List.of(C_PROGRAM.toString(), mode));
  }

  /** Whatever of this library or of others runs in a JVM gets the same one, set up the same. */
  private Peer jvm(String name, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>(java(main.getName()));
    command.addAll(List.of(arguments));
    return new Peer(name, command);
  }

  /** How {@code main} is started. */
  List<String> java(String main) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-Xms512m",
        "-Xmx512m",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-D" + Backend.PROPERTY + "=" + backend,
        "-cp",
        System.getProperty("java.class.path"),
        main);
  }
}
