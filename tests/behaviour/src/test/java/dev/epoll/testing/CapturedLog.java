package dev.epoll.testing;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * What one logger is given, instead of the console: {@code try (var log = CapturedLog.of(...))}.
 */
public final class CapturedLog extends Handler implements AutoCloseable {
  private final Logger logger;
  private final List<LogRecord> records = new CopyOnWriteArrayList<>();
  private volatile boolean throwing;

  private CapturedLog(Logger logger) {
    this.logger = logger;
  }

  public static CapturedLog of(Class<?> source) {
    CapturedLog log = new CapturedLog(Logger.getLogger(source.getName()));
    log.logger.setUseParentHandlers(false);
    log.logger.addHandler(log);
    return log;
  }

  /** From now on the handler itself throws, after it has kept the record. */
  public void throwAtEach() {
    throwing = true;
  }

  /** What was thrown and logged, in order. */
  public List<Throwable> thrown() {
    return records.stream().map(LogRecord::getThrown).toList();
  }

  @Override
  public void publish(LogRecord entry) {
    records.add(entry);
    if (throwing) {
      throw new IllegalStateException("a log handler that throws");
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    logger.removeHandler(this);
    logger.setUseParentHandlers(true);
  }
}
