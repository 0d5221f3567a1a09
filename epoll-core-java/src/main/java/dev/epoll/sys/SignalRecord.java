package dev.epoll.sys;

import java.nio.ByteBuffer;

/** The layout of {@code struct signalfd_siginfo}, uapi/linux/signalfd.h: one signal. */
public final class SignalRecord {
  /** The size of the struct. */
  public static final int SIZE = 128;

  private static final int SIGNAL = 0;
  private static final int CODE = 8;
  private static final int PID = 12;
  private static final int UID = 16;
  private static final int STATUS = 40;
  private static final int VALUE = 44;

  private SignalRecord() {}

  /** ssi_signo. */
  public static int signal(ByteBuffer struct) {
    return struct.getInt(SIGNAL);
  }

  /** ssi_code. */
  public static int code(ByteBuffer struct) {
    return struct.getInt(CODE);
  }

  /** ssi_pid. */
  public static int pid(ByteBuffer struct) {
    return struct.getInt(PID);
  }

  /** ssi_uid, which is unsigned. */
  public static long uid(ByteBuffer struct) {
    return struct.getInt(UID) & 0xffffffffL;
  }

  /** ssi_status. */
  public static int status(ByteBuffer struct) {
    return struct.getInt(STATUS);
  }

  /** ssi_int. */
  public static int value(ByteBuffer struct) {
    return struct.getInt(VALUE);
  }
}
