package dev.epoll.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Interest;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.PollerKind;
import dev.epoll.testing.Running;
import dev.epoll.testing.ThreadKind;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Out-of-band data of TCP. */
@ParameterizedClass
@MethodSource("dev.epoll.testing.PollerKind#available")
class UrgentDataTest {
  @Parameter private PollerKind kind;
  private TcpPair pair;

  @BeforeEach
  void open() throws Exception {
    pair = TcpPair.open(kind);
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @Test
  @Conformance(305)
  void anUrgentByteIsReadPastWhatWasSentBefore() throws Exception {
    assertEquals(TcpStream.NO_URGENT_BYTE, pair.server().tryReadUrgent());
    pair.client().tryWrite(ByteBuffer.allocate(3));
    assertTrue(pair.client().tryWriteUrgent((byte) 0xff));
    assertTrue(pair.server().registration().blockUntil(Interest.PRIORITY).isPriority());
    assertEquals(0xff, pair.server().tryReadUrgent());
    assertEquals(TcpStream.NO_URGENT_BYTE, pair.server().tryReadUrgent());
    ByteBuffer target = ByteBuffer.allocate(10);
    assertEquals(3, pair.server().blocking().read(target));
  }

  @ParameterizedTest
  @EnumSource(ThreadKind.class)
  void aThreadWaitsForTheUrgentByte(ThreadKind kind) throws Exception {
    Running<Integer> waiting =
        Running.on(
                kind,
                () -> {
                  pair.server().registration().blockUntil(Interest.PRIORITY);
                  return pair.server().tryReadUrgent();
                })
            .waitingOn(pair.server().registration());
    pair.client().tryWriteUrgent((byte) 7);
    assertEquals(7, waiting.result());
  }

  @Test
  void inlineItIsOneOfTheBytes() throws Exception {
    pair.server().setOption(TcpStream.SO_OOBINLINE, true);
    assertTrue(pair.server().getOption(TcpStream.SO_OOBINLINE));
    assertEquals("SO_OOBINLINE", TcpStream.SO_OOBINLINE.toString());
    pair.client().tryWriteUrgent((byte) 7);
    ByteBuffer target = ByteBuffer.allocate(10);
    assertEquals(1, pair.server().blocking().read(target));
    assertEquals(7, target.get(0));
    assertEquals(TcpStream.NO_URGENT_BYTE, pair.server().tryReadUrgent());
  }

  @Test
  void aClosedStreamSaysSo() {
    pair.client().close();
    assertThrows(ClosedChannelException.class, () -> pair.client().tryWriteUrgent((byte) 1));
    assertThrows(ClosedChannelException.class, () -> pair.client().tryReadUrgent());
  }
}
