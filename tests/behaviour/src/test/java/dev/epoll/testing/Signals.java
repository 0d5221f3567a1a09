package dev.epoll.testing;

import static dev.epoll.testing.LibC.C;

import java.lang.reflect.Proxy;

/** SIGUSR2, handled by doing nothing, sent to one thread. */
public final class Signals {
  private static final int SIGUSR2 = 12;

  private Signals() {}

  /**
   * Installs the handler. By reflection, because javac warns of sun.misc.Signal and no annotation
   * silences that.
   */
  public static void handle() throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object doNothing =
        Proxy.newProxyInstance(
            Signals.class.getClassLoader(),
            new Class<?>[] {handler},
            (proxy, method, args) -> null);
    signal
        .getMethod("handle", signal, handler)
        .invoke(null, signal.getConstructor(String.class).newInstance("USR2"), doNothing);
  }

  /** Sends the signal to the platform thread called {@code name}. */
  public static void send(String name) {
    send(Eventually.tid(name));
  }

  /** Sends the signal to the thread that the kernel knows as {@code tid}. */
  public static void send(int tid) {
    LibC.check(C.tgkill(C.getpid(), tid, SIGUSR2));
  }
}
