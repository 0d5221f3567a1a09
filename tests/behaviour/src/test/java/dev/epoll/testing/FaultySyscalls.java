package dev.epoll.testing;

import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;

/**
 * The kernel, with faults: chosen calls fail with a chosen errno and do not reach it. Calls go by
 * the name of their method in {@link Syscalls}, except epollCtl, which is {@link #ADD}, {@link
 * #MOD} and {@link #DEL}.
 */
public final class FaultySyscalls {
  public static final String ADD = "ADD";
  public static final String MOD = "MOD";
  public static final String DEL = "DEL";

  private record Fault(IntPredicate hits, Errno errno) {}

  private final Syscalls kernel;
  private final Syscalls faulty;
  private final Map<String, AtomicInteger> counts = new ConcurrentHashMap<>();
  private final Map<String, Fault> faults = new ConcurrentHashMap<>();
  private final Map<String, Runnable> hooks = new ConcurrentHashMap<>();

  public FaultySyscalls(Syscalls kernel) {
    this.kernel = kernel;
    this.faulty =
        (Syscalls)
            Proxy.newProxyInstance(
                FaultySyscalls.class.getClassLoader(),
                new Class<?>[] {Syscalls.class},
                (proxy, method, args) -> call(method, args));
  }

  /** What the code under test is given. */
  public Syscalls syscalls() {
    return faulty;
  }

  /** Calls of {@code call} from now on fail. */
  public void fail(String call, Errno errno) {
    failNth(call, nth -> true, errno);
  }

  /** The next {@code times} calls of {@code call} fail. */
  public void fail(String call, int times, Errno errno) {
    failNth(call, nth -> nth <= times, errno);
  }

  /** Calls of {@code call} whose number, counted from 1 from now on, {@code hits} fail. */
  public void failNth(String call, IntPredicate hits, Errno errno) {
    int before = count(call);
    faults.put(call, new Fault(nth -> hits.test(nth - before), errno));
  }

  /** Runs {@code hook} before each call of {@code call} from now on, on the calling thread. */
  public void before(String call, Runnable hook) {
    hooks.put(call, hook);
  }

  public void heal() {
    faults.clear();
    hooks.clear();
  }

  /** How often {@code call} was called so far. */
  public int count(String call) {
    return counter(call).get();
  }

  private AtomicInteger counter(String call) {
    return counts.computeIfAbsent(call, name -> new AtomicInteger());
  }

  private Object call(Method method, Object[] args) throws Throwable {
    String name = method.getName().equals("epollCtl") ? operation((int) args[1]) : method.getName();
    int nth = counter(name).incrementAndGet();
    hooks.getOrDefault(name, () -> {}).run();
    Fault fault = faults.get(name);
    if (fault != null && fault.hits.test(nth)) {
      int result = -fault.errno.number;
      return method.getReturnType() == long.class ? (Object) (long) result : (Object) result;
    }
    try {
      return method.invoke(kernel, args);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static String operation(int op) {
    return switch (op) {
      case Linux.EPOLL_CTL_ADD -> ADD;
      case Linux.EPOLL_CTL_MOD -> MOD;
      default -> DEL;
    };
  }
}
