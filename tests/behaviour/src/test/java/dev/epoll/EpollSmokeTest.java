package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import org.junit.jupiter.api.Test;

class EpollSmokeTest {
  @Test
  @Conformance(121)
  void reportsHangupOfAPipeWithDataAsInAndHup() throws Exception {
    try (Fds fds = new Fds();
        Epoll epoll = Epoll.open()) {
      Fds.Pair pipe = fds.pipe();
      epoll.add(pipe.a(), EventMask.IN, 0x1234_5678_9abc_def0L);
      Fds.write(pipe.b(), 1);
      fds.close(pipe.b());
      assertEquals(1, epoll.waitForEvents());
      assertEquals(EventMask.IN.or(EventMask.HUP), EventMask.of(epoll.ready().mask(0)));
      assertEquals(0x1234_5678_9abc_def0L, epoll.ready().data(0));
      assertEquals(epoll.kernelEntries(), epoll.entries());
      Fds.drain(pipe.a());
      epoll.waitForEvents();
      assertEquals(EventMask.HUP, EventMask.of(epoll.ready().mask(0)));
    }
  }
}
