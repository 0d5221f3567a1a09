package dev.epoll.fd;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.Poller;
import dev.epoll.sys.ScratchMemory;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.Running;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RawFdNeverWaitsTest {
  private static final int THREADS = 2;
  private static final int ROUNDS = 1_000;

  private Fds fds;
  private Poller poller;
  private final AtomicInteger taken = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicIntegerArray reads = new AtomicIntegerArray(THREADS);

  @BeforeEach
  void open() throws Exception {
    fds = new Fds();
    poller = Poller.open();
  }

  @AfterEach
  void close() {
    poller.close();
    fds.close();
  }

  /** A thread that a read of the kernel blocks stops counting. */
  @Test
  void threadsThatReadOneBlockingPipeNeverWait() throws Exception {
    Fds.Pair pipe = fds.blockingPipe();
    RawFd reader = RawFd.borrow(poller, pipe.a());
    List<Running<Integer>> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int index = i;
      threads.add(Running.of(() -> readUntilOver(reader, index)));
    }
    try {
      for (int round = 1; round <= ROUNDS; round++) {
        Fds.write(pipe.b(), 1);
        int wanted = round;
        await("byte " + round + " is read", () -> taken.get() >= wanted);
        for (int i = 0; i < THREADS; i++) {
          int index = i;
          int before = reads.get(i);
          await("thread " + i + " goes on, round " + round, () -> reads.get(index) != before);
        }
      }
    } finally {
      over.set(true);
      fds.close(pipe.b());
    }
    for (Running<Integer> thread : threads) {
      thread.result();
    }
    assertEquals(ROUNDS, taken.get());
  }

  private int readUntilOver(RawFd reader, int index) throws Exception {
    ByteBuffer target = ByteBuffer.allocateDirect(16);
    while (!over.get()) {
      taken.addAndGet(Math.max(reader.tryRead(target.clear()), 0));
      reads.incrementAndGet(index);
    }
    return reads.get(index);
  }

  private static void await(String what, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(30), what);
      LockSupport.parkNanos(10_000);
    }
  }

  @ParameterizedTest
  @ValueSource(bytes = {'x', '\n'})
  void writingToABlockingTerminalThatNobodyReadsNeverWaits(byte character) throws Exception {
    int keyboard = fds.open("/dev/ptmx", LibC.O_RDWR | LibC.O_NONBLOCK);
    check(TerminalTest.Pty.C.grantpt(keyboard));
    check(TerminalTest.Pty.C.unlockpt(keyboard));
    int noControllingTerminal = 0x100;
    int terminalFd =
        fds.open(TerminalTest.Pty.C.ptsname(keyboard), LibC.O_RDWR | noControllingTerminal);
    RawFd terminal = RawFd.borrow(poller, terminalFd);
    byte[] screen = new byte[4096];
    Arrays.fill(screen, character);
    AtomicBoolean returned = new AtomicBoolean();
    Running<Integer> writer = Running.of(() -> fill(terminal, screen, returned));
    try {
      await("every write returns", returned::get);
    } finally {
      over.set(true);
      while (!writer.isDone()) {
        Fds.drain(keyboard);
      }
    }
    assertEquals(0, C.fcntl(terminalFd, LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
  }

  private int fill(RawFd terminal, byte[] screen, AtomicBoolean returned) throws Exception {
    int total = 0;
    for (int count; !over.get() && (count = terminal.tryWrite(ByteBuffer.wrap(screen))) > 0; ) {
      total += count;
    }
    returned.set(true);
    return total;
  }

  @Test
  void aHeapReadThatFilledTheScratchMemoryHasNotDrainedTheFd() throws Exception {
    Fds.Pair pipe = fds.pipe();
    C.fcntl(pipe.b(), LibC.F_SETPIPE_SZ, 1 << 20);
    Fds.write(pipe.b(), 200_000);
    RawFd source = RawFd.borrow(poller, pipe.a());
    assertEquals(ScratchMemory.SIZE, source.tryRead(ByteBuffer.allocate(200_000)));
    assertFalse(source.isDrained());
  }

  @Test
  void aReadOnlyTargetIsRefusedThoughNothingIsThere() throws Exception {
    RawFd reader = RawFd.borrow(poller, fds.pipe().a());
    ByteBuffer readOnly = ByteBuffer.allocate(1).asReadOnlyBuffer();
    assertThrows(IllegalArgumentException.class, () -> reader.tryRead(readOnly));
  }

  /** Where the memory is, something else may be by now. */
  @Test
  void aBufferWhoseArenaIsClosedIsRefused() throws Exception {
    assumeTrue(Runtime.version().feature() >= 22, "java.lang.foreign");
    Fds.Pair pipe = fds.pipe();
    Fds.write(pipe.b(), 10);
    ByteBuffer buffer = bufferOfAClosedArena();
    RawFd source = RawFd.borrow(poller, pipe.a());
    assertThrows(IllegalStateException.class, () -> source.tryRead(buffer));
    assertEquals(10, Fds.drain(pipe.a()));
    RawFd sink = RawFd.borrow(poller, pipe.b());
    assertThrows(IllegalStateException.class, () -> sink.tryWrite(buffer));
    assertEquals(0, Fds.drain(pipe.a()));
  }

  private static ByteBuffer bufferOfAClosedArena() throws Exception {
    Class<?> arenaClass = Class.forName("java.lang.foreign.Arena");
    Class<?> segmentClass = Class.forName("java.lang.foreign.MemorySegment");
    Object arena = arenaClass.getMethod("ofConfined").invoke(null);
    Object segment = arenaClass.getMethod("allocate", long.class).invoke(arena, 100L);
    ByteBuffer buffer = (ByteBuffer) segmentClass.getMethod("asByteBuffer").invoke(segment);
    arenaClass.getMethod("close").invoke(arena);
    return buffer;
  }
}
