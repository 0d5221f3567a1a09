package dev.epoll.fd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.Poller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits that are reached, in a user namespace, whose limits are its own. */
class InotifyLimitsTest {
  private static final String ONE_OF_EACH =
      "cd /proc/sys/user && echo 1 >max_inotify_instances && echo 1 >max_inotify_watches"
          + " && exec \"$@\"";

  /** What a JVM in the namespace runs: prints what each call throws. */
  static final class Child {
    private interface Call {
      void run() throws IOException;
    }

    public static void main(String[] arguments) throws Exception {
      try (Poller poller = Poller.open();
          Inotify inotify = Inotify.open(poller)) {
        inotify.watch(Path.of("/"), InotifyMask.CREATE);
        print(() -> Inotify.open(poller));
        print(() -> inotify.watch(Path.of("/proc"), InotifyMask.CREATE));
        print(() -> inotify.watch(Path.of(arguments[0]), InotifyMask.CREATE));
      }
    }

    private static void print(Call call) {
      try {
        call.run();
        System.out.println("succeeded");
      } catch (IOException e) {
        System.out.println(e);
      }
    }
  }

  private static List<String> child(String argument) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("unshare", "--user", "--map-root-user", "sh", "-c", ONE_OF_EACH));
    command.addAll(List.of("sh", Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(
        List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Child.class.getName(), argument));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (var lines = process.inputReader()) {
      return lines.lines().toList();
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void aLimitThatIsReachedNamesItsSysctl(@TempDir Path directory) throws Exception {
    assumeTrue(namespacesAreAllowed(), "unshare(1) may make a user namespace");
    Path locked = Files.createDirectory(directory.resolve("locked"));
    boolean isLocked = lock(locked);
    List<String> said = child(locked.toString());
    assertEquals(3, said.size(), said::toString);
    assertTrue(said.get(0).contains("inotify_init1: EMFILE"), said.get(0));
    assertTrue(said.get(0).contains("sysctl fs.inotify.max_user_instances"), said.get(0));
    assertTrue(said.get(1).contains("ENOSPC"), said.get(1));
    assertTrue(said.get(1).contains("sysctl fs.inotify.max_user_watches"), said.get(1));
    if (isLocked) {
      assertEquals("java.nio.file.AccessDeniedException: " + locked, said.get(2));
    }
  }

  private static boolean namespacesAreAllowed() throws InterruptedException {
    try {
      return new ProcessBuilder("unshare", "--user", "--map-root-user", "sh", "-c", ONE_OF_EACH)
              .start()
              .waitFor()
          == 0;
    } catch (IOException noSuchProgram) {
      return false;
    }
  }

  /** Gives it to somebody whom the namespace does not know, which only root can. */
  private static boolean lock(Path path) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
    try {
      Files.setAttribute(path, "unix:uid", 65534);
      return true;
    } catch (IOException notPermitted) {
      return false;
    }
  }
}
