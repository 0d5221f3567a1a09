package dev.epoll.simulation;

import dev.epoll.sys.EpollEvent;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/**
 * epoll, and descriptors that are ready for whatever they are told to be ready for, in memory: as
 * the man pages and docs/kernel-facts.md say, but for what {@link Weather} does to it. There is one
 * epoll set.
 *
 * <pre>
 *   number ---&gt; SimulatedFile &lt;--- Entry (of the set, by file and number) &lt;--- ready list
 * </pre>
 *
 * <p>Thread: one.
 */
public final class SimulatedKernel {
  /** Bits of an entry's mask that are no events. */
  private static final int PRIVATE_BITS = Linux.EPOLLONESHOT | Linux.EPOLLET;

  private static final int ALWAYS = Linux.EPOLLERR | Linux.EPOLLHUP;

  /** What misfortune a call meets; the errors are those that the man page of the call names. */
  public interface Weather {
    /** The errno that {@code call} fails with now, without being made; null if it is made. */
    @Nullable Errno errnoFor(String call);

    /** Whether to report this event once more, later, with whatever is reported then. */
    boolean repeats();

    /** Whether to leave it for a later wait although it is ready. */
    boolean defers();
  }

  /** What a number stands for: an open file description. */
  public static final class SimulatedFile {
    private final boolean isPollable;
    private int ready;

    private SimulatedFile(boolean isPollable) {
      this.isPollable = isPollable;
    }

    /** Whether it may be in the set: a regular file may not. */
    public boolean isPollable() {
      return isPollable;
    }

    /** The EPOLL bits that hold. */
    public int ready() {
      return ready;
    }
  }

  private record Key(SimulatedFile file, int number) {}

  private record Event(int bits, long data) {}

  private static final class Entry {
    final Key key;
    int mask;
    long data;

    Entry(Key key) {
      this.key = key;
    }
  }

  private final Syscalls real;
  private final Chance chance;
  private final Weather weather;
  private final Syscalls syscalls;
  private final int firstNumber;
  private final TreeMap<Integer, SimulatedFile> files = new TreeMap<>();
  private final Map<Key, Entry> set = new LinkedHashMap<>();
  private final Set<Entry> readyList = new LinkedHashSet<>();
  private final List<Event> repeated = new ArrayList<>();
  private final Set<Integer> pollers = new LinkedHashSet<>();
  private final Map<String, Method> simulated = new HashMap<>();
  private int epoll = -1;

  /**
   * @param real makes the descriptor that the number of the epoll set stands for outside: a driven
   *     poller's set is watched by the shared poller, of the real kernel. It never gets ready there
   * @param firstNumber numbers of descriptors begin here, above all that are real
   */
  public SimulatedKernel(Syscalls real, Chance chance, Weather weather, int firstNumber) {
    this.real = real;
    this.chance = chance;
    this.weather = weather;
    this.firstNumber = firstNumber;
    for (Method method : Calls.class.getMethods()) {
      simulated.put(method.getName(), method);
    }
    Calls calls = new Calls();
    this.syscalls =
        (Syscalls)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Syscalls.class},
                (proxy, method, arguments) -> call(calls, method, arguments));
  }

  private Object call(Calls calls, Method method, Object[] arguments) throws Throwable {
    Method target = simulated.get(method.getName());
    if (target == null) {
      throw new AssertionError("this kernel has no " + method.getName());
    }
    try {
      return target.invoke(calls, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** What the code under test is given. */
  public Syscalls syscalls() {
    return syscalls;
  }

  // What the process does besides: the calls of others.

  /** Opens a file, with the lowest number that is free, as open(2) does. */
  public int open(boolean isPollable) {
    return number(new SimulatedFile(isPollable));
  }

  /** dup(2). */
  public int dup(int number) {
    return number(files.get(number));
  }

  private int number(SimulatedFile file) {
    int number = firstNumber;
    while (files.containsKey(number)) {
      number++;
    }
    files.put(number, file);
    return number;
  }

  /** close(2). Kernel: the file leaves the set when its last number is closed (epoll(7)). */
  public void close(int number) {
    SimulatedFile file = files.remove(number);
    if (!files.containsValue(file)) {
      set.values().removeIf(entry -> entry.key.file == file);
      readyList.removeIf(entry -> entry.key.file == file);
    }
  }

  /** What {@code number} stands for, or null. */
  public @Nullable SimulatedFile file(int number) {
    return files.get(number);
  }

  /** The numbers that are open, without those that the poller itself opened. */
  public List<Integer> numbers() {
    List<Integer> numbers = new ArrayList<>(files.keySet());
    numbers.removeAll(pollers);
    return numbers;
  }

  /** The others: what the poller itself has opened and not closed. */
  public Set<Integer> numbersOfPoller() {
    return Set.copyOf(pollers);
  }

  /** {@code file} is ready for {@code bits} from now on, and something has happened to it. */
  public void setReady(SimulatedFile file, int bits) {
    file.ready = bits;
    for (Entry entry : set.values()) {
      if (entry.key.file == file) {
        notice(entry);
      }
    }
  }

  private void notice(Entry entry) {
    if ((entry.key.file.ready & entry.mask & ~PRIVATE_BITS) != 0) {
      readyList.add(entry);
    }
  }

  /** Whether a wait would find something, if the weather allows. */
  public boolean hasEvents() {
    return !repeated.isEmpty()
        || readyList.stream().anyMatch(entry -> (entry.key.file.ready & entry.mask) != 0);
  }

  /** What the set holds for a number; the mask is 0 after a oneshot. */
  public record Watched(int number, SimulatedFile file, int mask, long data) {}

  /** All that is in the set, without the wakeup of {@code data}. */
  public Collection<Watched> watched(long wakeup) {
    return set.values().stream()
        .filter(entry -> entry.data != wakeup)
        .map(
            entry ->
                new Watched(entry.key.number, entry.key.file, entry.mask & ~ALWAYS, entry.data))
        .collect(Collectors.toList());
  }

  /** The calls that are simulated, by the names of {@link Syscalls}. */
  public final class Calls {
    private Calls() {}

    public long addressOf(ByteBuffer direct) {
      return real.addressOf(direct);
    }

    public int epollCreate1(int flags) {
      epoll = real.epollCreate1(flags);
      return epoll;
    }

    public int eventfd(int initialValue, int flags) {
      int number = open(true);
      pollers.add(number);
      return number;
    }

    public int close(int fd) {
      if (fd == epoll) {
        set.clear();
        readyList.clear();
        repeated.clear();
        return real.close(fd);
      }
      pollers.remove(fd);
      SimulatedKernel.this.close(fd);
      return 0;
    }

    public long write(int fd, long address, long count) {
      // Only the wakeup is written to.
      return unless(
          "write",
          () -> {
            setReady(files.get(fd), Linux.EPOLLIN | Linux.EPOLLOUT);
            return (int) count;
          });
    }

    public long read(int fd, long address, long count) {
      return count;
    }

    public int epollCtl(int epfd, int op, int fd, long eventAddress) {
      return unless(
          op == Linux.EPOLL_CTL_ADD ? "ADD" : op == Linux.EPOLL_CTL_MOD ? "MOD" : "DEL",
          () -> control(op, fd, eventAddress));
    }

    private int control(int op, int number, long eventAddress) {
      SimulatedFile file = files.get(number);
      if (file == null) {
        return -Errno.EBADF.number;
      }
      if (!file.isPollable) {
        return -Errno.EPERM.number;
      }
      Key key = new Key(file, number);
      Entry entry = set.get(key);
      if (op == Linux.EPOLL_CTL_ADD ? entry != null : entry == null) {
        return op == Linux.EPOLL_CTL_ADD ? -Errno.EEXIST.number : -Errno.ENOENT.number;
      }
      if (op == Linux.EPOLL_CTL_DEL) {
        readyList.remove(set.remove(key));
        return 0;
      }
      if (entry == null) {
        entry = new Entry(key);
        set.put(key, entry);
      }
      Pointer event = pointer(eventAddress);
      entry.mask = event.getInt(0) | ALWAYS;
      entry.data = event.getLong(EpollEvent.SIZE - Long.BYTES);
      notice(entry);
      return 0;
    }

    public int epollWait(int epfd, long eventsAddress, int maxEvents, int timeoutMillis) {
      return unless("epollWait", () -> harvest(pointer(eventsAddress), maxEvents));
    }

    private int harvest(Pointer events, int maxEvents) {
      List<Event> found = new ArrayList<>(repeated);
      repeated.clear();
      for (Entry entry : List.copyOf(readyList)) {
        int bits = entry.key.file.ready & entry.mask;
        if (bits == 0) {
          readyList.remove(entry);
        } else if (found.size() < maxEvents && !weather.defers()) {
          found.add(new Event(bits, entry.data));
          reported(entry);
        }
      }
      chance.shuffle(found);
      for (int i = 0; i < found.size(); i++) {
        Event event = found.get(i);
        events.putInt((long) i * EpollEvent.SIZE, event.bits);
        events.putLong((long) i * EpollEvent.SIZE + EpollEvent.SIZE - Long.BYTES, event.data);
        if (weather.repeats()) {
          repeated.add(event);
        }
      }
      while (repeated.size() > maxEvents / 2) {
        repeated.remove(0);
      }
      return found.size();
    }

    private void reported(Entry entry) {
      if ((entry.mask & Linux.EPOLLONESHOT) != 0) {
        entry.mask &= PRIVATE_BITS;
        readyList.remove(entry);
      } else if ((entry.mask & Linux.EPOLLET) != 0) {
        readyList.remove(entry);
      }
    }

    private int unless(String call, IntSupplier made) {
      Errno errno = weather.errnoFor(call);
      return errno == null ? made.getAsInt() : -errno.number;
    }

    private Pointer pointer(long address) {
      return Pointer.wrap(Runtime.getSystemRuntime(), address);
    }
  }
}
