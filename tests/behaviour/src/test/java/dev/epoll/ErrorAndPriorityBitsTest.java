package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static dev.epoll.testing.LoopbackFds.IPPROTO_IP;
import static dev.epoll.testing.LoopbackFds.IP_RECVERR;
import static dev.epoll.testing.LoopbackFds.SOL_SOCKET;
import static dev.epoll.testing.LoopbackFds.SO_OOBINLINE;
import static dev.epoll.testing.LoopbackFds.SO_TIMESTAMPING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.epoll.testing.Conformance;
import dev.epoll.testing.Fds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.LoopbackFds;
import java.nio.charset.StandardCharsets;
import jnr.ffi.LibraryLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ERR of UDP sockets, PRI of TCP sockets and of the kernel's own files. */
class ErrorAndPriorityBitsTest {
  private static final EventMask IN = EventMask.IN;
  private static final EventMask PRI = EventMask.PRI;
  private static final EventMask ERR = EventMask.ERR;
  private static final EventMask RDHUP = EventMask.RDHUP;
  private static final EventMask NONE = EventMask.NONE;
  private static final EventMask ET = EventMask.EDGE_TRIGGERED;
  private static final int SOF_TIMESTAMPING_TX_SOFTWARE = 1 << 1;
  private static final int SOF_TIMESTAMPING_SOFTWARE = 1 << 4;
  private static final int CLONE_NEWUTS = 0x04000000;
  private static final int CLONE_NEWNS = 0x00020000;
  private static final int MS_REC_PRIVATE = 0x4000 | 1 << 18;

  private static final Namespaces NAMESPACES = LibraryLoader.create(Namespaces.class).load("c");

  private final LoopbackFds fds = new LoopbackFds();
  private Epoll epoll;

  /** libc, by its C names. */
  public interface Namespaces {
    int unshare(int flags);

    int mount(String source, String target, String type, long flags, String data);

    int umount(String target);

    int sethostname(byte[] name, long length);
  }

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open();
  }

  @AfterEach
  void close() {
    epoll.close();
    fds.close();
  }

  @Test
  @Conformance(148)
  void outOfBandDataIsPriAsLongAsItIsAskedFor() throws Exception {
    Fds.Pair tcp = fds.pair();
    EventMask mask = IN.or(RDHUP).or(PRI).or(ET);
    epoll.add(tcp.a(), mask, 1);
    sendOutOfBand(tcp.b());
    EventMask first = Harvest.nextMask(epoll);
    assertTrue(first.contains(PRI), first::toString);
    Fds.write(tcp.b(), 1);
    EventMask second = Harvest.nextMask(epoll);
    assertTrue(second.contains(IN), second::toString);
    assertEquals(1, receive(tcp.a(), LibC.MSG_OOB));
    assertEquals(1, Fds.drain(tcp.a()));
    Harvest.staysQuiet(epoll);
    epoll.modify(tcp.a(), mask.without(PRI), 1);
    assertEquals(NONE, Harvest.mask(epoll));
    epoll.modify(tcp.a(), mask, 1);
    WaitingThread waiting = WaitingThread.in(epoll);
    sendOutOfBand(tcp.b());
    assertEquals(1, waiting.count());
    assertTrue(EventMask.of(epoll.ready().mask(0)).contains(PRI));
    assertEquals(1, receive(tcp.a(), LibC.MSG_OOB));
    Fds.drain(tcp.a());
    Fds.write(tcp.b(), 1);
    Harvest.settles(epoll, IN);
  }

  @Test
  @Conformance(149)
  void inlineOutOfBandDataIsPriUntilItIsRead() throws Exception {
    Fds.Pair tcp = fds.pair();
    LoopbackFds.set(tcp.a(), SOL_SOCKET, SO_OOBINLINE, 1);
    epoll.add(tcp.a(), PRI, 1);
    sendOutOfBand(tcp.b());
    for (int i = 0; i < 3; i++) {
      assertEquals(PRI, Harvest.nextMask(epoll));
    }
    assertEquals(1, receive(tcp.a(), 0));
    assertEquals(NONE, Harvest.mask(epoll));
    Fds.write(tcp.b(), 1);
    Harvest.staysQuiet(epoll);
    epoll.modify(tcp.a(), IN, 1);
    assertEquals(IN, Harvest.nextMask(epoll));
  }

  private static void sendOutOfBand(int fd) {
    assertEquals(1, C.send(fd, new byte[1], 1, LibC.MSG_OOB));
  }

  private static long receive(int fd, int flags) {
    return C.recv(fd, new byte[1], 1, flags);
  }

  @Test
  @Conformance(151)
  void aRefusedDatagramIsErrUntilTheErrorQueueIsRead() throws Exception {
    int gone = fds.udp();
    int sender = fds.udp();
    LoopbackFds.startConnect(sender, LoopbackFds.port(gone));
    fds.close(gone);
    LoopbackFds.set(sender, IPPROTO_IP, IP_RECVERR, 1);
    epoll.add(sender, NONE, 1);
    Fds.write(sender, 1);
    assertEquals(ERR, Harvest.nextMask(epoll));
    assertEquals(ERR, Harvest.mask(epoll));
    receive(sender, 0); // takes the pending error, not the queued one
    assertEquals(ERR, Harvest.mask(epoll));
    assertEquals(1, receive(sender, LoopbackFds.MSG_ERRQUEUE));
    assertEquals(NONE, Harvest.mask(epoll));
  }

  @Test
  @Conformance(152)
  void aTransmitTimestampIsErrAndNotIn() throws Exception {
    int target = fds.udp();
    int sender = fds.udp();
    LoopbackFds.startConnect(sender, LoopbackFds.port(target));
    LoopbackFds.set(
        sender,
        SOL_SOCKET,
        SO_TIMESTAMPING,
        SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
    epoll.add(sender, IN.or(ERR), 1);
    assertEquals(NONE, Harvest.mask(epoll));
    Fds.write(sender, 1);
    assertEquals(ERR, Harvest.nextMask(epoll));
  }

  @Test
  @Conformance(157)
  void theMountTableReportsEveryMount() throws Exception {
    inNamespaces(
        CLONE_NEWNS,
        () -> {
          check(NAMESPACES.mount("none", "/", "", MS_REC_PRIVATE, ""));
          int mounts = C.open("/proc/thread-self/mounts", LibC.O_RDONLY | LibC.O_CLOEXEC);
          epoll.add(check(mounts), PRI, 1);
          assertEquals(NONE, Harvest.mask(epoll));
          check(NAMESPACES.mount("none", "/tmp", "tmpfs", 0, ""));
          assertTrue(Harvest.nextMask(epoll).contains(PRI));
          assertEquals(NONE, Harvest.mask(epoll));
          check(NAMESPACES.umount("/tmp"));
          assertTrue(Harvest.nextMask(epoll).contains(PRI));
          return C.close(mounts);
        });
  }

  @Test
  @Conformance(158)
  void aChangedHostNameReachesBothSetsOnce() throws Exception {
    inNamespaces(
        CLONE_NEWUTS,
        () -> {
          String path = "/proc/sys/kernel/hostname";
          int first = check(C.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC));
          int second = check(C.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC));
          try (Epoll other = Epoll.open()) {
            epoll.add(first, NONE, 1);
            other.add(second, NONE, 2);
            Harvest.count(epoll);
            Harvest.count(other);
            byte[] name = "epoll-test".getBytes(StandardCharsets.US_ASCII);
            check(NAMESPACES.sethostname(name, name.length));
            assertTrue(Harvest.nextMask(epoll).contains(ERR));
            assertTrue(Harvest.nextMask(other).contains(ERR));
            assertEquals(NONE, Harvest.mask(epoll));
            assertEquals(NONE, Harvest.mask(other));
          }
          return C.close(first) + C.close(second);
        });
  }

  private interface Probe {
    int run() throws Exception;
  }

  /** Runs {@code probe} on a thread whose mounts and host name are its own, which needs root. */
  private static void inNamespaces(int flags, Probe probe) throws Exception {
    boolean[] refused = new boolean[1];
    WaitingThread thread =
        WaitingThread.of(
            () -> {
              refused[0] = NAMESPACES.unshare(flags) < 0;
              return refused[0] ? 0 : probe.run();
            });
    assertEquals(0, thread.count());
    assumeTrue(!refused[0], "needs CAP_SYS_ADMIN");
  }
}
