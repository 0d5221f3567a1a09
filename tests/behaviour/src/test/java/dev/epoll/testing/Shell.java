package dev.epoll.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;

/** Programs that are run to their end. */
public final class Shell {
  private Shell() {}

  /** What {@code command} prints, without the last line feed; fails unless it exits with 0. */
  public static String output(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + " failed: " + output);
    }
    return output.stripTrailing();
  }

  /** The settings of the terminal at {@code path} as stty(1) prints them. */
  public static String stty(Path path, String... arguments)
      throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 3];
    command[0] = "stty";
    command[1] = "-F";
    command[2] = path.toString();
    System.arraycopy(arguments, 0, command, 3, arguments.length);
    return output(command);
  }
}
