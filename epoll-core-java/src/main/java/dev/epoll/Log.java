package dev.epoll;

/**
 * Reports to the log what somebody else's code threw. A log handler is somebody else's code too:
 * what it throws is dropped, for there is nobody left to tell, and the poller must go on.
 */
final class Log {
  private static final System.Logger LOGGER = System.getLogger(Poller.class.getName());

  private Log() {}

  static void error(String what, Throwable thrown) {
    log(System.Logger.Level.ERROR, what, thrown);
  }

  static void warning(String what, Throwable thrown) {
    log(System.Logger.Level.WARNING, what, thrown);
  }

  private static void log(System.Logger.Level level, String what, Throwable thrown) {
    try {
      LOGGER.log(level, what, thrown);
    } catch (Throwable dropped) {
      // See the class comment.
    }
  }
}
