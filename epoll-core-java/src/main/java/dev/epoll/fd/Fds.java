package dev.epoll.fd;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Field;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;

/**
 * The numbers of descriptors that the JDK has open, to await them or to lend them to {@link
 * RawFd#borrow}.
 *
 * <p>The descriptor stays the JDK's: it must be kept reachable and open as long as it is awaited or
 * lent, for the number of a closed one may be another file's by then. So close the borrowing
 * descriptor, or the registration, first. What is read or written elsewhere is missing in streams
 * that buffer, and a channel that is awaited and then used itself has to be non-blocking ({@code
 * configureBlocking(false)}).
 *
 * <p>The JDK shows its numbers only if it is started with {@code --add-opens
 * java.base/sun.nio.ch=ALL-UNNAMED}.
 */
public final class Fds {
  /** Standard input, which the JDK's {@code System.in} also reads, ahead of what is asked for. */
  public static final int STDIN = 0;

  /** Standard output. */
  public static final int STDOUT = 1;

  /** Standard error. */
  public static final int STDERR = 2;

  private static final String JDK_CHANNELS = "sun.nio.ch";

  private Fds() {}

  /**
   * The number of {@code descriptor}, such as {@code RandomAccessFile.getFD()} gives.
   *
   * @throws IOException if it is closed
   * @throws IllegalStateException if the JDK does not show it; the message names the missing option
   */
  public static int of(FileDescriptor descriptor) throws IOException {
    if (!descriptor.valid()) {
      throw new IOException("the FileDescriptor is closed, or was never open");
    }
    try {
      Class<?> io = Class.forName(JDK_CHANNELS + ".IOUtil");
      return (int) opened(io.getMethod("fdVal", FileDescriptor.class)).invoke(null, descriptor);
    } catch (ReflectiveOperationException e) {
      throw unknown(e);
    }
  }

  /**
   * The number of a channel of the JDK: a socket's, a pipe's or a {@link FileChannel}.
   *
   * @throws ClosedChannelException if it is closed
   * @throws IllegalArgumentException if it is no such channel
   * @throws IllegalStateException if the JDK does not show it; the message names the missing option
   */
  public static int of(Channel channel) throws IOException {
    if (!channel.isOpen()) {
      throw new ClosedChannelException();
    }
    try {
      Class<?> selectable = Class.forName(JDK_CHANNELS + ".SelChImpl");
      if (selectable.isInstance(channel)) {
        return (int) opened(selectable.getMethod("getFDVal")).invoke(channel);
      }
      Class<?> file = Class.forName(JDK_CHANNELS + ".FileChannelImpl");
      if (file.isInstance(channel)) {
        Field descriptor = opened(file.getDeclaredField("fd"));
        return of((FileDescriptor) descriptor.get(channel));
      }
    } catch (ReflectiveOperationException e) {
      throw unknown(e);
    }
    throw new IllegalArgumentException(
        channel.getClass().getName()
            + " is no channel of the JDK that has an fd: give a socket's, a pipe's or a file's");
  }

  private static <T extends AccessibleObject> T opened(T member) {
    if (!member.trySetAccessible()) {
      Module self = Fds.class.getModule();
      throw new IllegalStateException(
          "this JVM does not show the numbers of its descriptors: start it with --add-opens"
              + " java.base/"
              + JDK_CHANNELS
              + "="
              + (self.isNamed() ? self.getName() : "ALL-UNNAMED"));
    }
    return member;
  }

  private static IllegalStateException unknown(ReflectiveOperationException e) {
    return new IllegalStateException(
        "this JDK, " + Runtime.version() + ", keeps the numbers of its descriptors elsewhere", e);
  }
}
