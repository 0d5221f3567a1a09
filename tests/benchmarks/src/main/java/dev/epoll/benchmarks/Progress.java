package dev.epoll.benchmarks;

/** Tells on stderr what is going on: on a terminal in one line that changes. */
final class Progress {
  // Said by the script that starts this: Java knows of standard input and output only.
  private static final boolean TERMINAL = Boolean.getBoolean("stderr.terminal");

  private Progress() {}

  static void say(String what) {
    System.err.print(TERMINAL ? "\r\033[K" + what : what + "\n");
    System.err.flush();
  }

  static void clear() {
    if (TERMINAL) {
      System.err.print("\r\033[K");
    }
  }
}
