package dev.epoll.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * A function of libc, for up to seven integers and addresses. A call returns a value {@code >= 0},
 * or {@code -errno}; it allocates nothing once it is compiled.
 *
 * <p>All are called through one method handle, as if each took seven longs, had optional parameters
 * and returned a long, because the JDK needs milliseconds to link each further type of function.
 * The calling conventions of 64-bit Linux allow that: integers travel in registers, or where the
 * caller cleans up after them, a function looks at no more of them than it has parameters, and at
 * the lower half where a parameter is an int; the conventions that want an int extended want its
 * sign, as a cast does. The upper half of an int result is undefined.
 *
 * <p>No call is {@link Linker.Option#critical}: that saves 10 ns, but keeps the thread from
 * reaching a safepoint, and every function here can block, if only on a kernel lock.
 *
 * @param address where it begins
 */
record LibcFunction(MemorySegment address) {
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
              JAVA_LONG),
          ErrnoCapture.OPTION,
          Linker.Option.firstVariadicArg(1));

  static LibcFunction named(String name) {
    LibcFunction function = namedOrNull(name);
    if (function == null) {
      throw new IllegalStateException("libc has no function " + name);
    }
    return function;
  }

  static @Nullable LibcFunction namedOrNull(String name) {
    MemorySegment address = LINKER.defaultLookup().find(name).orElse(null);
    return address == null ? null : new LibcFunction(address);
  }

  int call(long a) {
    return call(a, 0, 0, 0, 0);
  }

  int call(long a, long b) {
    return call(a, b, 0, 0, 0);
  }

  int call(long a, long b, long c) {
    return call(a, b, c, 0, 0);
  }

  int call(long a, long b, long c, long d) {
    return call(a, b, c, d, 0);
  }

  /** Calls a function that returns an int. */
  int call(long a, long b, long c, long d, long e) {
    ErrnoCapture capture = ErrnoCapture.take();
    int result = (int) invoke(capture.segment, a, b, c, d, e, 0);
    if (result == -1) {
      result = -capture.errno();
    }
    capture.giveBack();
    return result;
  }

  long callForLong(long a, long b, long c) {
    return callForLong(a, b, c, 0, 0, 0);
  }

  long callForLong(long a, long b, long c, long d) {
    return callForLong(a, b, c, d, 0, 0);
  }

  long callForLong(long a, long b, long c, long d, long e) {
    return callForLong(a, b, c, d, e, 0);
  }

  /** Calls a function that returns a long, or another integer of 64 bits. */
  long callForLong(long a, long b, long c, long d, long e, long f) {
    ErrnoCapture capture = ErrnoCapture.take();
    long result = invoke(capture.segment, a, b, c, d, e, f);
    if (result == -1) {
      result = -capture.errno();
    }
    capture.giveBack();
    return result;
  }

  private long invoke(MemorySegment errno, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) CALL.invokeExact(address, errno, a, b, c, d, e, f, 0L);
    } catch (RuntimeException | Error unexpected) {
      throw unexpected;
    } catch (Throwable impossible) {
      // The handle declares Throwable, and throws nothing that is checked.
      throw new AssertionError(impossible);
    }
  }
}
