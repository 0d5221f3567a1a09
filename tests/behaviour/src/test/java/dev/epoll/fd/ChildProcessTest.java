package dev.epoll.fd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.ClosedPollerException;
import dev.epoll.Poller;
import dev.epoll.SyscallException;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.FdLimit;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ChildProcessTest {
  private Poller poller;

  @BeforeEach
  void open() throws Exception {
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
  }

  private ChildProcess shell(String script) throws IOException {
    return ChildProcess.start(poller, new ProcessBuilder("sh", "-c", script));
  }

  private static String all(ByteSource source) throws IOException {
    return new String(Channels.newInputStream(source.blocking()).readAllBytes(), UTF_8);
  }

  @ParameterizedTest
  @EnumSource
  @Conformance(316)
  void whatIsWrittenToCatComesBackUntilItsInputEnds(ThreadKind kind) throws Exception {
    try (ChildProcess cat = ChildProcess.start(poller, new ProcessBuilder("cat"))) {
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertEquals(0, cat.stdout().tryRead(buffer));
      Running<Integer> reading =
          Running.on(kind, () -> cat.stdout().blocking().read(buffer))
              .waitingOn(cat.stdout().registration());
      assertEquals(5, cat.stdin().tryWrite(ByteBuffer.wrap("hello".getBytes(UTF_8))));
      assertEquals(5, reading.result());
      assertEquals("hello", new String(buffer.array(), 0, 5, UTF_8));
      cat.stdin().close();
      assertEquals(-1, cat.stdout().blocking().read(ByteBuffer.allocate(1)));
      assertEquals(0, cat.process().waitFor());
      assertEquals("ChildProcess(pid " + cat.pid() + ", exited)", cat.toString());
    }
  }

  @Test
  void theOutputsAreTwoPipesAndOutliveTheChild() throws Exception {
    try (ChildProcess child = shell("echo out; echo err >&2; exit 3")) {
      assertEquals(3, child.process().waitFor());
      assertEquals("out\n", all(child.stdout()));
      assertEquals("err\n", all(child.stderr()));
    }
  }

  @Test
  void theChildsEndsBlockAndNothingElseIsInherited() throws Exception {
    String ownFdinfo = "exec cat /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2";
    try (ChildProcess child = shell("ls /proc/self/fd; " + ownFdinfo)) {
      List<String> lines = all(child.stdout()).lines().toList();
      // The fourth is ls looking at the directory.
      assertEquals(List.of("0", "1", "2", "3"), lines.subList(0, 4));
      List<String> flags = lines.stream().filter(line -> line.startsWith("flags:")).toList();
      assertEquals(3, flags.size());
      for (String line : flags) {
        assertEquals(0, Integer.parseInt(line.substring("flags:".length()).trim(), 8) & 04000);
      }
    }
  }

  @Test
  void redirectsHoldAndTheirStreamsAreNotOffered(@TempDir Path directory) throws Exception {
    File file = directory.resolve("output").toFile();
    ProcessBuilder builder =
        new ProcessBuilder("sh", "-c", "cat; echo out; echo err >&2")
            .redirectInput(new File("/dev/null"))
            .redirectOutput(file)
            .redirectErrorStream(true);
    try (ChildProcess child = ChildProcess.start(poller, builder)) {
      assertEquals(0, child.process().waitFor());
      assertEquals("out\nerr\n", Files.readString(file.toPath()));
      for (Supplier<?> stream : List.<Supplier<?>>of(child::stdin, child::stdout, child::stderr)) {
        String said = assertThrows(IllegalStateException.class, stream::get).getMessage();
        assertTrue(said.contains("redirected") && said.contains("PIPE"), said);
      }
    }
  }

  @Test
  void redirectErrorStreamSendsBothToStdout() throws Exception {
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", "echo out; echo err >&2");
    try (ChildProcess child = ChildProcess.start(poller, builder.redirectErrorStream(true))) {
      assertEquals("out\nerr\n", all(child.stdout()));
      assertThrows(IllegalStateException.class, child::stderr);
    }
  }

  @Test
  void theBuilderIsLeftAsItWas() throws Exception {
    ProcessBuilder builder = new ProcessBuilder("true").redirectError(Redirect.INHERIT);
    ChildProcess.start(poller, builder).close();
    assertSame(Redirect.PIPE, builder.redirectInput());
    assertSame(Redirect.PIPE, builder.redirectOutput());
    assertSame(Redirect.INHERIT, builder.redirectError());
    builder.command("/no/such/program");
    assertThrows(IOException.class, () -> ChildProcess.start(poller, builder));
    assertSame(Redirect.PIPE, builder.redirectOutput());
  }

  @Test
  void oneBuilderStartsManyAtTheSameTime() throws Exception {
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", "echo $$");
    List<Running<Boolean>> starts = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      starts.add(
          Running.of(
              () -> {
                try (ChildProcess child = ChildProcess.start(poller, builder)) {
                  return all(child.stdout()).equals(child.pid() + "\n");
                }
              }));
    }
    for (Running<Boolean> start : starts) {
      assertTrue(start.result());
    }
  }

  @Test
  void writingToAChildThatHasExitedFailsWithEpipe() throws Exception {
    try (ChildProcess child = shell("exit 0")) {
      child.process().waitFor();
      SyscallException e =
          assertThrows(
              SyscallException.class, () -> child.stdin().tryWrite(ByteBuffer.allocate(1)));
      assertEquals("EPIPE", e.errnoName());
    }
  }

  @Test
  void closeKillsTheChildAndFailsWhoReadsIt() throws Exception {
    var before = KernelFds.openNow();
    ChildProcess child = shell("trap '' TERM; exec cat");
    Running<Integer> reading =
        Running.of(() -> child.stdout().blocking().read(ByteBuffer.allocate(1)))
            .waitingOn(child.stdout().registration());
    child.close();
    child.close();
    assertInstanceOf(ClosedChannelException.class, reading.failure());
    assertEquals(128 + Signal.KILL.number(), child.process().waitFor());
    assertFalse(ProcessHandle.of(child.pid()).isPresent(), "it is reaped");
    assertThrows(
        ClosedChannelException.class, () -> child.stdin().tryWrite(ByteBuffer.allocate(1)));
    KernelFds.assertNoneSince(before);
  }

  @Test
  void aFailedStartLeavesNothing() throws Exception {
    shell("true").close();
    Poller closed = Poller.open();
    closed.close();
    var before = KernelFds.openNow();
    ProcessBuilder missing = new ProcessBuilder("/no/such/program");
    String said =
        assertThrows(IOException.class, () -> ChildProcess.start(poller, missing)).getMessage();
    assertTrue(said.contains("/no/such/program"), said);
    assertThrows(
        ClosedPollerException.class, () -> ChildProcess.start(closed, new ProcessBuilder("true")));
    KernelFds.assertNoneSince(before);
    assertEquals(List.of(), poller.snapshot().registrations());
  }

  @Test
  void withoutEnoughFreeNumbersNothingIsLeft() throws Exception {
    ProcessBuilder builder = new ProcessBuilder("true");
    ChildProcess.start(poller, builder).close();
    var before = KernelFds.openNow();
    int starts = 0;
    for (int free = 0; free < 16; free++) {
      IOException failure = FdLimit.whileRoomFor(free, () -> failureOf(builder));
      if (failure == null) {
        starts++;
      } else {
        // Were it ProcessBuilder that fails, a JDK 25 would close numbers that it did not open.
        assertEquals("EMFILE", assertInstanceOf(SyscallException.class, failure).errnoName());
      }
      assertTrue(LibC.C.fcntl(0, LibC.F_GETFD, 0) >= 0, "standard input, with " + free);
      assertEquals(before, KernelFds.openNow(), "with " + free);
      assertEquals(List.of(), poller.snapshot().registrations());
    }
    assertTrue(starts > 0);
  }

  /** Why a start fails; null if it does not. */
  private IOException failureOf(ProcessBuilder builder) {
    try {
      ChildProcess.start(poller, builder).close();
      return null;
    } catch (IOException e) {
      return e;
    }
  }
}
