package dev.epoll.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.examples.ExampleProcess;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A JVM that blocks signals, as its launcher made it do, and runs static methods for a test: this
 * one cannot block any.
 */
public final class BlockingJvm implements AutoCloseable {
  private final ExampleProcess process;

  /** Starts one that blocks the signals of these names, with {@code -Xrs}. */
  public BlockingJvm(String signals) {
    List<String> command =
        new ArrayList<>(ExampleProcess.Companion.command(BlockingJvm.class.getName()));
    command.addAll(0, List.of("env", "--block-signal=" + signals));
    command.add(command.indexOf("-cp"), "-Xrs");
    process = new ExampleProcess(new ProcessBuilder(command));
  }

  /** Runs {@code method} there, which fails this test if it fails. */
  public void run(Class<?> owner, String method) throws Exception {
    process
        .getInput()
        .write((owner.getName() + " " + method + "\n").getBytes(StandardCharsets.UTF_8));
    process.getInput().flush();
    assertEquals("ok", process.getOut().readLine());
  }

  @Override
  public void close() {
    process.close();
  }

  /** The other side of {@link #run}. */
  public static void main(String[] args) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] call = line.split(" ", 2);
      try {
        Class.forName(call[0]).getMethod(call[1]).invoke(null);
        System.out.println("ok");
      } catch (Throwable e) {
        StringWriter trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace, true));
        System.out.println(trace.toString().replace("\n", " | "));
      }
    }
  }
}
