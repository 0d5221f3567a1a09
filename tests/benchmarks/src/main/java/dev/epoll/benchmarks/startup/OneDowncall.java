package dev.epoll.benchmarks.startup;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;

/** What the JDK takes of it: from the start of the JVM to the first call of libc, and no more. */
public final class OneDowncall {
  private OneDowncall() {}

  /** Says so once the call is over. */
  public static void main(String[] arguments) throws Throwable {
    Linker linker = Linker.nativeLinker();
    var getpid = linker.defaultLookup().find("getpid").orElseThrow();
    int pid = (int) linker.downcallHandle(getpid, FunctionDescriptor.of(JAVA_INT)).invokeExact();
    System.out.println(pid > 0 ? "done" : "no process");
  }
}
