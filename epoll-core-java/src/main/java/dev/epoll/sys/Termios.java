package dev.epoll.sys;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A terminal's settings: the kernel's {@code struct termios}, which is shorter than that of libc;
 * termios(3) tells what the flags mean. Does not change once made.
 */
public final class Termios {
  // asm-generic/termbits.h: four fields of flags, c_line, and c_cc from here on
  private static final int INPUT = 0;
  private static final int OUTPUT = 4;
  private static final int CONTROL = 8;
  private static final int LOCAL = 12;
  private static final int CHARACTERS = 17;
  private static final int VTIME = CHARACTERS + 5;
  private static final int VMIN = CHARACTERS + 6;
  private static final int SIZE = CHARACTERS + 19;

  // c_iflag, in octal as the header has them
  private static final int IGNBRK = 01;
  private static final int BRKINT = 02;
  private static final int PARMRK = 010;
  private static final int ISTRIP = 040;
  private static final int INLCR = 0100;
  private static final int IGNCR = 0200;
  private static final int ICRNL = 0400;
  private static final int IXON = 02000;
  // c_oflag
  private static final int OPOST = 01;
  // c_cflag
  private static final int CSIZE = 060;
  private static final int CS8 = 060;
  private static final int CREAD = 0200;
  private static final int PARENB = 0400;
  private static final int CLOCAL = 04000;
  private static final int CBAUDEX = 010000;
  private static final int CBAUD = CBAUDEX | 017;
  private static final int CIBAUD = CBAUD << 16;
  // c_lflag
  private static final int ISIG = 01;
  private static final int ICANON = 02;
  private static final int ECHO = 010;
  private static final int ECHONL = 0100;
  private static final int IEXTEN = 0100000;

  /** The speeds that CBAUD has a code for, in bits per second and in the order of the codes. */
  private static final List<Integer> SPEEDS =
      List.of(
          0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
          57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000,
          2500000, 3000000, 3500000, 4000000);

  /** Codes from here on have CBAUDEX, and count from it. */
  private static final int LAST_WITHOUT_CBAUDEX = 15;

  private final ByteBuffer struct = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());

  private Termios(ByteBuffer source) {
    struct.put(0, source, 0, SIZE);
  }

  /** Whether {@code fd} is a terminal: 0 if so, else {@code -errno}, mostly ENOTTY. */
  public static int probe(Syscalls syscalls, int fd) {
    NativeMemory memory = ScratchMemory.take(syscalls);
    try {
      return syscalls.ioctl(fd, Linux.TCGETS, memory.address());
    } finally {
      ScratchMemory.giveBack(memory);
    }
  }

  /** Reads the struct at the start of {@code memory}. */
  public static Termios get(ByteBuffer memory) {
    return new Termios(memory);
  }

  /** Writes the struct at the start of {@code memory}. */
  public void put(ByteBuffer memory) {
    memory.put(0, struct, 0, SIZE);
  }

  /** Every byte as it comes and goes, as cfmakeraw(3) sets it. */
  public Termios raw() {
    Termios raw = new Termios(struct);
    raw.change(INPUT, IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON, 0);
    raw.change(OUTPUT, OPOST, 0);
    raw.change(CONTROL, CSIZE | PARENB, CS8);
    raw.change(LOCAL, ECHO | ECHONL | ICANON | ISIG | IEXTEN, 0);
    raw.struct.put(VMIN, (byte) 1).put(VTIME, (byte) 0);
    return raw;
  }

  /** What is typed is not shown, nor is the end of its line. */
  public Termios withoutEcho() {
    Termios silent = new Termios(struct);
    silent.change(LOCAL, ECHO | ECHONL, 0);
    return silent;
  }

  /**
   * {@code baudRate} both ways, whatever the line's modem signals say.
   *
   * @throws IllegalArgumentException if it is none of the speeds that have a code
   */
  public Termios atSpeed(int baudRate) {
    int place = SPEEDS.indexOf(baudRate);
    if (place <= 0) { // The first, 0, would hang up.
      throw new IllegalArgumentException(
          "no line has a speed of %d: give one of %s"
              .formatted(baudRate, SPEEDS.subList(1, SPEEDS.size())));
    }
    int code = place <= LAST_WITHOUT_CBAUDEX ? place : CBAUDEX + place - LAST_WITHOUT_CBAUDEX;
    Termios fast = new Termios(struct);
    fast.change(CONTROL, CBAUD | CIBAUD, code | CLOCAL | CREAD);
    return fast;
  }

  /** Bits per second; 0 if it is none of the speeds that have a code. */
  public int speed() {
    int code = struct.getInt(CONTROL) & CBAUD;
    if (code == CBAUDEX) {
      return 0; // BOTHER: the speed is in a longer struct.
    }
    return SPEEDS.get(code < CBAUDEX ? code : code - CBAUDEX + LAST_WITHOUT_CBAUDEX);
  }

  private void change(int field, int cleared, int set) {
    struct.putInt(field, (struct.getInt(field) & ~cleared) | set);
  }
}
