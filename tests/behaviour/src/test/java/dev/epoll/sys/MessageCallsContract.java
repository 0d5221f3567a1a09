package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.testing.LibC;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** socketpair, recv and the calls of whole messages, told by what they do. */
interface MessageCallsContract {
  int IOVEC = MessageHeader.MMSG_SIZE * 2;
  int BYTES = 512;

  Syscalls syscalls();

  /** Two connected Unix sockets. */
  private static int[] pair(Seam seam, int type) {
    NativeMemory fds = seam.ints(-1, -1);
    Seam.ok(seam.with(fds, at -> seam.syscalls.socketpair(Linux.AF_UNIX, type, 0, at)));
    return new int[] {
      seam.keep(fds.buffer().getInt(0)), seam.keep(fds.buffer().getInt(Integer.BYTES))
    };
  }

  @Test
  default void socketpairTakesTypeAndFlags() {
    try (Seam seam = new Seam(syscalls())) {
      int[] plain = pair(seam, Linux.SOCK_STREAM);
      assertFalse(Seam.isCloseOnExec(plain[0]));
      assertFalse(Seam.isNonBlocking(plain[1]));
      int[] flagged = pair(seam, Linux.SOCK_DGRAM | Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC);
      assertTrue(Seam.isCloseOnExec(flagged[0]));
      assertTrue(Seam.isNonBlocking(flagged[1]));
      assertEquals(LibC.SOCK_DGRAM, seam.option(flagged[0], Linux.SOL_SOCKET, Linux.SO_TYPE));
      seam.write(plain[0], Seam.text("x"));
      Seam.assertBytes("x", seam.read(plain[1], 9));
      NativeMemory fds = seam.ints(-1, -1);
      Seam.fails(
          Errno.EOPNOTSUPP,
          seam.with(fds, at -> syscalls().socketpair(Linux.AF_INET, Linux.SOCK_STREAM, 0, at)));
    }
  }

  @Test
  default void recvTakesItsFlags() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pair = pair(seam, Linux.SOCK_STREAM);
      NativeMemory target = seam.allocate(8);
      Seam.fails(
          Errno.EAGAIN,
          seam.with(target, at -> syscalls().recv(pair[0], at, 8, Linux.MSG_DONTWAIT)));
      seam.write(pair[1], Seam.text("abc"));
      for (int flags : new int[] {Linux.MSG_PEEK, 0}) {
        assertEquals(2, seam.with(target, at -> syscalls().recv(pair[0], at, 2, flags)));
        assertEquals('a', target.buffer().get(0));
      }
      Seam.assertBytes("c", seam.read(pair[0], 9));
    }
  }

  @Test
  default void sendmsgAndRecvmsgCarryDescriptors() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pair = pair(seam, Linux.SOCK_STREAM);
      int[] pipe = seam.pipe(0);
      NativeMemory sent = seam.allocate(ScratchMemory.SIZE);
      SocketMessage.bytes(sent, 2).put(Seam.text("hi"));
      SocketMessage.describe(sent, SocketMessage.bytesAddress(sent), 2);
      SocketMessage.putFds(sent, pipe[1], pipe[0]);
      assertEquals(2, seam.with(sent, at -> syscalls().sendmsg(pair[0], at, 0)));
      NativeMemory received = seam.allocate(ScratchMemory.SIZE);
      SocketMessage.describe(received, SocketMessage.bytesAddress(received), 9);
      SocketMessage.putRoomForFds(received, 4);
      assertEquals(
          2, seam.with(received, at -> syscalls().recvmsg(pair[1], at, Linux.MSG_CMSG_CLOEXEC)));
      byte[] bytes = new byte[2];
      SocketMessage.bytes(received, 2).get(bytes);
      Seam.assertBytes("hi", bytes);
      int[] fds = SocketMessage.fds(received);
      assertEquals(2, fds.length);
      seam.keep(fds[0]);
      seam.keep(fds[1]);
      assertTrue(Seam.isCloseOnExec(fds[0]));
      assertFalse(SocketMessage.hasLostFds(received));
      seam.write(fds[0], Seam.text("through the pipe"));
      Seam.assertBytes("through the pipe", seam.read(pipe[0], 99));
    }
  }

  /** What a kernel that lies about lengths could make it read. */
  @Test
  default void aControlMessageWithALyingLengthBringsNoDescriptors() {
    try (Seam seam = new Seam(syscalls())) {
      NativeMemory memory = seam.allocate(ScratchMemory.SIZE);
      for (long length : new long[] {0, 15, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1 << 20}) {
        SocketMessage.describe(memory, 0, 0);
        SocketMessage.putFds(memory, 7, 8);
        memory.buffer().putLong(256, length);
        int[] fds = SocketMessage.fds(memory);
        assertArrayEquals(length < 16 ? new int[0] : new int[] {7, 8}, fds, "length " + length);
      }
      MessageHeader.putControl(memory.buffer(), 0, 0, Integer.MAX_VALUE);
      assertTrue(SocketMessage.fds(memory).length <= SocketMessage.MAX_FDS);
    }
  }

  @Test
  default void sendmmsgAndRecvmmsgMoveSeveralMessages() {
    try (Seam seam = new Seam(syscalls())) {
      int[] pair = pair(seam, Linux.SOCK_DGRAM | Linux.SOCK_NONBLOCK);
      NativeMemory memory = seam.allocate(1024);
      ByteBuffer struct = memory.buffer();
      for (int i = 0; i < 2; i++) {
        int header = i * MessageHeader.MMSG_SIZE;
        int iovec = IOVEC + i * MessageHeader.IOVEC_SIZE;
        MessageHeader.clear(struct, header);
        MessageHeader.putIovec(struct, iovec, memory.address() + BYTES + i * 16L, i + 1);
        MessageHeader.putIovecs(struct, header, memory.address() + iovec, 1);
      }
      struct.put(BYTES, Seam.text("a")).put(BYTES + 16, Seam.text("bc"));
      assertEquals(2, seam.with(memory, at -> syscalls().sendmmsg(pair[0], at, 2, 0)));
      struct.put(BYTES, Seam.text("?")).put(BYTES + 16, Seam.text("??"));
      assertEquals(2, seam.with(memory, at -> syscalls().recvmmsg(pair[1], at, 2, 0, 0)));
      assertEquals(1, MessageHeader.moved(struct, 0));
      assertEquals(2, MessageHeader.moved(struct, MessageHeader.MMSG_SIZE));
      byte[] second = new byte[2];
      struct.get(BYTES + 16, second);
      Seam.assertBytes("bc", second);
      Seam.fails(Errno.EAGAIN, seam.with(memory, at -> syscalls().recvmmsg(pair[1], at, 2, 0, 0)));
    }
  }
}
