package dev.epoll;

/**
 * Reports to the log what somebody else's code threw. A log handler is somebody else's code too:
 * what it throws is dropped, for there is nobody left to tell, and the poller must go on.
 */
final class Log {
  private Log() {}

  /** {@code what} happened to {@code whom}, because of {@code thrown}. */
  static void error(String what, Object whom, Throwable thrown) {
    log(System.Logger.Level.ERROR, what, whom, thrown);
  }

  /** The same, if it is no error yet. */
  static void warning(String what, Object whom, Throwable thrown) {
    log(System.Logger.Level.WARNING, what, whom, thrown);
  }

  // Even finding the logger runs code of others, and putting the words together takes memory.
  private static void log(System.Logger.Level level, String what, Object whom, Throwable thrown) {
    try {
      System.getLogger(Poller.class.getName()).log(level, what + ": " + whom, thrown);
    } catch (Throwable dropped) {
      // See the class comment.
    }
  }
}
