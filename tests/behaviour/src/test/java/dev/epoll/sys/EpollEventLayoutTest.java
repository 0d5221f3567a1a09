package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpollEventLayoutTest {
  @ParameterizedTest
  @ValueSource(strings = {"amd64", "x86_64"})
  void dataFollowsTheBitsAtOnceOnX86(String arch) {
    assertEquals(4, EpollEvent.dataOffset(arch));
  }

  @ParameterizedTest
  @ValueSource(strings = {"aarch64", "riscv64", "s390x", "ppc64le", "loongarch64"})
  void dataIsAlignedOnOtherCpus(String arch) {
    assertEquals(8, EpollEvent.dataOffset(arch));
  }

  @Test
  @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
  void anEventHas12BytesOnX86() {
    assertEquals(12, EpollEvent.SIZE);
  }

  @Test
  void eventsOfAnArrayAreApartByTheSize() {
    int dataOffset = EpollEvent.SIZE - Long.BYTES;
    NativeMemory memory = NativeMemory.allocate(Backend.syscalls(), 3 * EpollEvent.SIZE);
    ByteBuffer bytes = memory.buffer();
    EpollEvent.put(bytes, 1, 0x1234_5678, 0x8765_4321_0fed_cba9L);
    assertEquals(0x1234_5678, bytes.getInt(EpollEvent.SIZE));
    assertEquals(0x8765_4321_0fed_cba9L, bytes.getLong(EpollEvent.SIZE + dataOffset));
    assertEquals(0x1234_5678, EpollEvent.events(bytes, 1));
    assertEquals(0x8765_4321_0fed_cba9L, EpollEvent.data(bytes, 1));
    for (int untouched : List.of(0, 2)) {
      assertEquals(0, EpollEvent.events(bytes, untouched));
      assertEquals(0, EpollEvent.data(bytes, untouched));
    }
  }

  @Test
  void theKernelFillsAnArrayInThisLayout() {
    Syscalls syscalls = Backend.syscalls();
    try (Seam seam = new Seam(syscalls)) {
      int epfd = seam.epoll();
      long[] data = {0x0123_4567_89ab_cdefL, -1, Long.MIN_VALUE};
      for (long value : data) {
        Seam.ok(seam.ctl(epfd, Linux.EPOLL_CTL_ADD, seam.eventfd(1), Linux.EPOLLIN, value));
      }
      List<Seam.Event> events = seam.wait(epfd, 3, 0);
      assertEquals(3, events.size());
      for (int i = 0; i < data.length; i++) {
        assertTrue(events.contains(new Seam.Event(Linux.EPOLLIN, data[i])), events::toString);
      }
    }
  }
}
