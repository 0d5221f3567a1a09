package dev.epoll.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.examples.HttpRequest;
import dev.epoll.examples.HttpRequestKt;
import dev.epoll.examples.HttpSite;
import dev.epoll.examples.RedisClient;
import dev.epoll.examples.RedisCommands;
import dev.epoll.examples.RedisCounts;
import dev.epoll.examples.RedisStore;
import dev.epoll.examples.RefusedRequest;
import dev.epoll.examples.RespException;
import dev.epoll.examples.RespParser;
import dev.epoll.examples.RespWriter;
import dev.epoll.sys.Backend;
import dev.epoll.sys.FileNames;
import dev.epoll.sys.InotifyStruct;
import dev.epoll.sys.MessageHeader;
import dev.epoll.sys.NativeMemory;
import dev.epoll.sys.SignalRecord;
import dev.epoll.sys.SocketAddresses;
import dev.epoll.sys.SocketMessage;
import dev.epoll.sys.Termios;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * What takes in bytes that others made: the kernel's structs, and what the peers of the examples
 * send. Whatever the bytes are, there is a result, or the exception that says that they are wrong;
 * nothing outside of them is read, and a length in them is no reason to allocate as much.
 */
enum Parser {
  INOTIFY_EVENT {
    @Override
    void take(byte[] input) {
      ByteBuffer struct = ByteBuffer.wrap(input).order(ByteOrder.nativeOrder());
      if (InotifyStruct.isWhole(struct, input.length)) {
        InotifyStruct.watch(struct);
        InotifyStruct.mask(struct);
        InotifyStruct.cookie(struct);
        byte[] name = InotifyStruct.name(struct);
        assertTrue(name.length <= input.length - 16);
        if (name.length > 0 && new String(name, ISO_8859_1).indexOf('/') < 0) {
          FileNames.element(name);
        }
      }
    }

    @Override
    List<byte[]> examples() {
      byte[] event = new byte[32];
      ByteBuffer.wrap(event).order(ByteOrder.nativeOrder()).putInt(1).putInt(0x100).putInt(12, 16);
      event[16] = 'a';
      return List.of(event, new byte[16]);
    }
  },

  CONTROL_MESSAGES {
    @Override
    void take(byte[] input) {
      NativeMemory memory = NativeMemory.allocate(Backend.syscalls(), CONTROL + MAX_CONTROL + 8);
      ByteBuffer struct = memory.buffer();
      // The first bytes are the length, which is none of the messages.
      byte[] start = Arrays.copyOf(input, Long.BYTES);
      struct.put(CONTROL_LENGTH, start);
      int count = Math.min(Math.max(0, input.length - Long.BYTES), MAX_CONTROL);
      struct.put(CONTROL, input, Math.min(Long.BYTES, input.length), count);
      assertTrue(SocketMessage.fds(memory).length <= SocketMessage.MAX_FDS);
      SocketMessage.hasLostFds(memory);
      MessageHeader.iovecLength(struct, 0);
    }

    @Override
    List<byte[]> examples() {
      return List.of(controlMessage(1), controlMessage(2), controlMessage(SocketMessage.MAX_FDS));
    }
  },

  INET_ADDRESS {
    @Override
    void take(byte[] input) {
      ByteBuffer struct = sockaddr(input);
      InetSocketAddress address = SocketAddresses.get(struct);
      ByteBuffer again = sockaddr(new byte[0]);
      SocketAddresses.put(again, address);
      assertEquals(address, SocketAddresses.get(again));
    }

    @Override
    List<byte[]> examples() throws IOException {
      return List.of(
          ofAddress(InetAddress.getByAddress(new byte[4])),
          ofAddress(InetAddress.getByAddress(new byte[16])));
    }
  },

  UNIX_ADDRESS {
    @Override
    void take(byte[] input) {
      for (int length : new int[] {0, 1, 2, input.length, 110, 111, -1, Integer.MIN_VALUE}) {
        byte[] name = SocketAddresses.getUnix(sockaddr(input), length);
        assertTrue(name.length <= SocketAddresses.MAX_UNIX_NAME);
        if (name.length > 0 && name[0] != 0) {
          FileNames.path(name);
        }
      }
    }

    @Override
    List<byte[]> examples() {
      return List.of(
          "\1\0/tmp/socket\0".getBytes(ISO_8859_1),
          "\1\0\0abstract".getBytes(ISO_8859_1),
          ("\1\0" + "x".repeat(SocketAddresses.MAX_UNIX_NAME)).getBytes(ISO_8859_1));
    }
  },

  SIGNAL_RECORD {
    @Override
    void take(byte[] input) {
      ByteBuffer struct = padded(input, SignalRecord.SIZE);
      SignalRecord.signal(struct);
      SignalRecord.code(struct);
      SignalRecord.pid(struct);
      assertTrue(SignalRecord.uid(struct) >= 0);
      SignalRecord.status(struct);
      SignalRecord.value(struct);
    }

    @Override
    List<byte[]> examples() {
      return List.of(new byte[SignalRecord.SIZE]);
    }
  },

  TERMINAL_SETTINGS {
    @Override
    void take(byte[] input) {
      Termios settings = Termios.get(padded(input, TERMIOS_SIZE));
      assertTrue(settings.speed() >= 0);
      assertEquals(9600, settings.raw().withoutEcho().atSpeed(9600).speed());
    }

    @Override
    List<byte[]> examples() {
      return List.of(new byte[TERMIOS_SIZE], new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 15, 16});
    }
  },

  HTTP {
    @Override
    void take(byte[] input) {
      byte[] guarded = new byte[HttpRequestKt.MAX_HEAD];
      ByteBuffer bytes = ByteBuffer.wrap(guarded);
      bytes.put(input, 0, Math.min(input.length, guarded.length)).flip();
      HttpRequest request = new HttpRequest(bytes);
      try {
        for (int start = 0; request.parse(); start = bytes.position()) {
          assertTrue(bytes.position() > start && bytes.position() <= bytes.limit());
          Long body = request.getBodyLength();
          assertTrue(body == null || (body >= 0 && body <= HttpRequestKt.MAX_BODY));
          if (request.getRefusal() == null) {
            locate(request.path());
          }
        }
      } catch (Exception e) { // which Kotlin does not declare
        assertInstanceOf(RefusedRequest.class, e);
      }
    }

    private void locate(String path) {
      try {
        Path root = Path.of("/proc/self/fdinfo");
        assertTrue(new HttpSite(root).locate(path).startsWith(root), path);
      } catch (Exception e) {
        assertTrue(e instanceof IOException || e instanceof IllegalArgumentException, e::toString);
      }
    }

    @Override
    List<byte[]> examples() {
      return List.of(
          text("GET /json?x=/y HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n"),
          text("HEAD http://a/%2e%2e/%00+%zz HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
          text("\r\nPOST * HTTP/2.0\r\nhost:\r\nTransfer-Encoding: chunked\r\n"),
          text("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\nGET /..//. HTTP/1.1\r\n"));
    }
  },

  RESP {
    @Override
    void take(byte[] input) {
      RespParser parser = new RespParser();
      RedisCommands commands =
          new RedisCommands(new RedisStore(() -> 1_000_000L), new RedisCounts());
      RedisClient client = new RedisClient();
      RespWriter replies = new RespWriter();
      ByteBuffer bytes = ByteBuffer.wrap(input);
      try {
        // It arrives in two parts.
        bytes.limit(input.length / 2);
        runAll(parser, bytes, commands, client, replies);
        bytes.limit(input.length);
        runAll(parser, bytes, commands, client, replies);
      } catch (Exception e) {
        assertInstanceOf(RespException.class, e);
      }
    }

    private static void runAll(
        RespParser parser,
        ByteBuffer bytes,
        RedisCommands commands,
        RedisClient client,
        RespWriter replies) {
      while (true) {
        int before = bytes.position();
        List<byte[]> words = parser.next(bytes);
        if (words == null) {
          return;
        }
        assertTrue(bytes.position() > before, "a command of no bytes");
        int replied = replies.getSize();
        commands.run(words, client, replies);
        assertTrue(replies.getSize() > replied, "a command without a reply");
      }
    }

    @Override
    List<byte[]> examples() {
      return List.of(
          text("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n42\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"),
          text("*5\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n$2\r\nPX\r\n$1\r\n9\r\n"),
          text("set a \"\\x41\\n\" ex 9223372036854775807 nx\r\nttl a\r\nexpire a -1\n"),
          text("MSET a 1 b 'x\\'y'\r\nMGET a b c\r\nCLIENT SETNAME x\r\nCONFIG GET save *\r\n"),
          text("*-1\r\n*0\r\n*1048576\r\n$536870912\r\n"));
    }
  };

  // Where SocketMessage and MessageHeader put them
  private static final int CONTROL_LENGTH = 40;
  private static final int CONTROL = 256;
  private static final int MAX_CONTROL = 16 + SocketMessage.MAX_FDS * Integer.BYTES;
  private static final int TERMIOS_SIZE = 36;

  /** Takes in {@code input}, and fails on what is neither a result nor a documented exception. */
  abstract void take(byte[] input);

  /** Input to begin with, most of it valid. */
  abstract List<byte[]> examples() throws IOException;

  private static byte[] text(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static ByteBuffer padded(byte[] input, int size) {
    return ByteBuffer.wrap(Arrays.copyOf(input, size)).order(ByteOrder.nativeOrder());
  }

  private static ByteBuffer sockaddr(byte[] input) {
    return padded(input, SocketAddresses.MAX_SIZE);
  }

  private static byte[] ofAddress(InetAddress address) {
    ByteBuffer struct = sockaddr(new byte[0]);
    SocketAddresses.put(struct, new InetSocketAddress(address, 80));
    byte[] input = new byte[28];
    struct.get(0, input);
    return input;
  }

  private static byte[] controlMessage(int fds) {
    NativeMemory memory = NativeMemory.allocate(Backend.syscalls(), 2048);
    SocketMessage.describe(memory, memory.address(), 0);
    SocketMessage.putFds(memory, new int[fds]);
    int length = MessageHeader.controlLength(memory.buffer(), 0);
    byte[] input = new byte[Long.BYTES + length];
    memory.buffer().get(CONTROL_LENGTH, input, 0, Long.BYTES);
    memory.buffer().get(CONTROL, input, Long.BYTES, length);
    return input;
  }
}
