package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class GatherMessageTest {
  private final Syscalls syscalls = Backend.syscalls();

  /** Sends what fits and returns it as it arrives. */
  private String sent(ByteBuffer[] sources, int offset, int length) {
    NativeMemory memory = NativeMemory.allocate(syscalls, ScratchMemory.SIZE);
    memory.buffer().putLong(8, -1); // scratch memory is handed out dirty
    try (Fds fds = new Fds()) {
      Fds.Pair pair = fds.socketpair();
      long described = GatherMessage.fill(syscalls, memory, sources, offset, length);
      assertEquals(described, syscalls.sendmsg(pair.a(), memory.address(), Linux.MSG_NOSIGNAL));
      byte[] bytes = new byte[ScratchMemory.SIZE];
      int count = described == 0 ? 0 : LibC.check(LibC.C.read(pair.b(), bytes, bytes.length));
      return new String(bytes, 0, count, StandardCharsets.ISO_8859_1);
    } finally {
      Reference.reachabilityFence(memory);
      Reference.reachabilityFence(sources);
    }
  }

  private static ByteBuffer heap(String text) {
    return ByteBuffer.wrap(Seam.text(text));
  }

  private static ByteBuffer direct(String text) {
    return ByteBuffer.allocateDirect(text.length()).put(Seam.text(text)).flip();
  }

  @Test
  void onlyWhatRemainsOfTheBuffersAskedForIsSent() {
    ByteBuffer[] sources = {
      heap("before"),
      heap("-heap").position(1),
      direct(""),
      direct("-direct").position(1),
      heap("read only").asReadOnlyBuffer(),
      heap("after")
    };
    assertEquals("heapdirectread only", sent(sources, 1, 4));
    assertEquals(1, sources[1].position());
  }

  @Test
  void nothingRemainingIsAnEmptyMessage() {
    assertEquals("", sent(new ByteBuffer[] {heap(""), direct("")}, 0, 2));
  }

  @Test
  void ofMoreBuffersThanFitTheFirstAreSent() {
    ByteBuffer[] sources = new ByteBuffer[70];
    Arrays.setAll(sources, i -> heap(i < 64 ? "x" : "y"));
    assertEquals("x".repeat(64), sent(sources, 0, 70));
  }

  @Test
  void heapBytesThatDoNotFitEndTheMessage() {
    ByteBuffer large = ByteBuffer.allocate(2 * ScratchMemory.SIZE);
    String sent = sent(new ByteBuffer[] {heap("a"), large, heap("b")}, 0, 3);
    assertEquals("a" + "\0".repeat(sent.length() - 1), sent);
    assertEquals(true, sent.length() > ScratchMemory.SIZE / 2);
  }
}
