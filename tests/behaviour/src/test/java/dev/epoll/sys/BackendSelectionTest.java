package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class BackendSelectionTest {
  private static final boolean HAS_FFM = Runtime.version().feature() >= 22;
  private static final String DEFAULT = HAS_FFM ? "ffm" : "jnr";

  /** What a child JVM runs: names its backend, or the error. */
  static final class Child {
    public static void main(String[] arguments) {
      try {
        Syscalls syscalls = Backend.syscalls();
        System.out.print(syscalls.backend() + " " + syscalls.close(-1));
      } catch (Throwable e) {
        Throwable cause = e;
        while (cause instanceof ExceptionInInitializerError) {
          cause = cause.getCause();
        }
        System.out.print(cause.getMessage());
      }
    }
  }

  private static String child(List<String> classPath, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath)));
    command.add(Child.class.getName());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the child JVM did not end");
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  private static List<String> classPath() {
    return Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
  }

  private static List<String> classPathWithoutJnr() {
    return classPath().stream()
        .filter(entry -> !Path.of(entry).getFileName().toString().matches("(jnr|jffi).*"))
        .collect(Collectors.toList());
  }

  @Test
  void theLibraryComesFromItsMultiReleaseJar() {
    String location = Syscalls.class.getProtectionDomain().getCodeSource().getLocation().toString();
    assertTrue(location.endsWith(".jar"), "classes come from " + location);
  }

  @Test
  void theDefaultIsFfmWhereTheJdkHasIt() {
    assertEquals(DEFAULT, Backend.choose(null).backend());
  }

  @Test
  void thisProcessUsesTheBackendThatItsPropertyNames() {
    String forced = System.getProperty(Backend.PROPERTY);
    assertEquals(forced == null ? DEFAULT : forced, Backend.syscalls().backend());
  }

  @Test
  void jnrCanAlwaysBeForced() {
    assertEquals("jnr", Backend.choose("jnr").backend());
  }

  @Test
  void anUnknownNameIsRefusedWithTheNamesThereAre() {
    for (String name : List.of("panama", "", "FFM")) {
      IllegalStateException refused =
          assertThrows(IllegalStateException.class, () -> Backend.choose(name));
      assertEquals(
          "-Ddev.epoll.backend=" + name + " is unknown: set it to jnr or ffm",
          refused.getMessage());
    }
  }

  @Test
  void ffmOnAnOlderJdkIsRefusedWithWhatItNeeds() {
    assumeFalse(HAS_FFM);
    IllegalStateException refused =
        assertThrows(IllegalStateException.class, () -> Backend.choose("ffm"));
    assertTrue(refused.getMessage().contains("needs JDK 22 or newer"), refused.getMessage());
  }

  @Test
  void anUnforcedProcessTakesTheDefault() throws Exception {
    assertEquals(DEFAULT + " -9", child(classPath()));
  }

  @Test
  void thePropertyForcesJnr() throws Exception {
    assertEquals("jnr -9", child(classPath(), "-Ddev.epoll.backend=jnr"));
  }

  @Test
  void anUnknownPropertyIsTheErrorOfTheFirstUse() throws Exception {
    assertEquals(
        "-Ddev.epoll.backend=none is unknown: set it to jnr or ffm",
        child(classPath(), "-Ddev.epoll.backend=none"));
  }

  @Test
  void jnrWithoutItsJarIsRefusedWithItsName() throws Exception {
    String message = child(classPathWithoutJnr(), "-Ddev.epoll.backend=jnr");
    assertTrue(message.contains("com.github.jnr:jnr-ffi on the class path"), message);
  }

  @Test
  void ffmNeedsNoJnrJar() throws Exception {
    assumeTrue(HAS_FFM);
    assertEquals("ffm -9", child(classPathWithoutJnr()));
  }
}
