package dev.epoll;

import dev.epoll.sys.Backend;
import dev.epoll.sys.EpollEvent;
import dev.epoll.sys.Errno;
import dev.epoll.sys.Linux;
import dev.epoll.sys.Syscalls;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * As much of a kernel as a poller's core calls: one epoll set, one eventfd, and fds that are ready
 * when a test says so. The memory that is passed to it is real.
 *
 * <p>Events are taken out of the set by {@link #harvest()}, not by the wait that returns them, so
 * that what happens between the two is a test's to choose.
 *
 * <p>Not the SimulatedKernel of tests/behaviour: here each call is one step, of any thread, and
 * nothing goes wrong.
 *
 * <p>Thread: every method from any.
 */
final class KernelInMemory {
  private static final int EPOLL = 3;
  static final int EVENTFD = 4;
  private static final int ALWAYS = Linux.EPOLLHUP | Linux.EPOLLERR;
  private static final int DATA_OFFSET = EpollEvent.SIZE - Long.BYTES;

  private static final class Entry {
    int mask;
    long data;
    boolean isArmed;
    boolean isPending;

    void set(int newMask, long newData, int readiness) {
      mask = newMask | ALWAYS;
      data = newData;
      isArmed = true;
      isPending = (readiness & mask) != 0;
    }
  }

  private record Event(int mask, long data) {}

  final Syscalls syscalls =
      (Syscalls)
          Proxy.newProxyInstance(
              Syscalls.class.getClassLoader(),
              new Class<?>[] {Syscalls.class},
              (proxy, method, args) -> call(proxy, method, args));

  private final Map<Integer, Entry> set = new TreeMap<>();
  private final Map<Integer, Integer> readiness = new TreeMap<>();
  private final List<Event> harvested = new ArrayList<>();

  @SuppressWarnings("ReferenceEquality") // there is one proxy per kernel
  private Object call(Object proxy, Method method, Object[] args) {
    return switch (method.getName()) {
      case "addressOf" -> Backend.syscalls().addressOf((ByteBuffer) args[0]);
      case "epollCreate1" -> EPOLL;
      case "eventfd" -> EVENTFD;
      case "epollCtl" -> control((int) args[1], (int) args[2], (long) args[3]);
      case "epollWait" -> await((long) args[1], (int) args[2]);
      case "write" -> {
        makeReady((int) args[0], Linux.EPOLLIN);
        yield args[2];
      }
      case "close" -> {
        closeFd((int) args[0]);
        yield 0;
      }
      case "equals" -> proxy == args[0];
      case "hashCode" -> System.identityHashCode(proxy);
      case "toString" -> "KernelInMemory";
      default -> throw new UnsupportedOperationException(method.getName());
    };
  }

  private synchronized int control(int op, int fd, long eventAddress) {
    Entry entry = set.get(fd);
    if (op == Linux.EPOLL_CTL_ADD) {
      if (entry != null) {
        return -Errno.EEXIST.number;
      }
      entry = new Entry();
      set.put(fd, entry);
    } else if (entry == null) {
      return -Errno.ENOENT.number;
    } else if (op == Linux.EPOLL_CTL_DEL) {
      set.remove(fd);
      return 0;
    }
    MemorySegment event = MemorySegment.ofAddress(eventAddress).reinterpret(EpollEvent.SIZE);
    entry.set(
        event.get(ValueLayout.JAVA_INT_UNALIGNED, 0),
        event.get(ValueLayout.JAVA_LONG_UNALIGNED, DATA_OFFSET),
        readiness.getOrDefault(fd, 0));
    return 0;
  }

  private synchronized int await(long eventsAddress, int maxEvents) {
    MemorySegment events =
        MemorySegment.ofAddress(eventsAddress).reinterpret((long) maxEvents * EpollEvent.SIZE);
    int count = Math.min(maxEvents, harvested.size());
    for (int i = 0; i < count; i++) {
      Event event = harvested.remove(0);
      events.set(ValueLayout.JAVA_INT_UNALIGNED, (long) i * EpollEvent.SIZE, event.mask);
      events.set(
          ValueLayout.JAVA_LONG_UNALIGNED, (long) i * EpollEvent.SIZE + DATA_OFFSET, event.data);
    }
    return count;
  }

  /**
   * Something happens on {@code fd}, which then is ready for {@code mask}, and for nothing else.
   */
  synchronized void makeReady(int fd, int mask) {
    readiness.put(fd, mask);
    Entry entry = set.get(fd);
    if (entry != null && entry.isArmed && (mask & entry.mask) != 0) {
      entry.isPending = true;
    }
  }

  /**
   * What an epoll_wait takes out of the set now, for the next one to return. Does nothing while
   * that one is still to come.
   */
  synchronized void harvest() {
    if (!harvested.isEmpty()) {
      return;
    }
    set.forEach(
        (fd, entry) -> {
          int reported = entry.isPending ? readiness.getOrDefault(fd, 0) & entry.mask : 0;
          entry.isPending = false;
          if (reported != 0) {
            harvested.add(new Event(reported, entry.data));
            entry.isArmed = (entry.mask & Linux.EPOLLONESHOT) == 0;
          }
        });
  }

  /** close(2), after which the number stands for another file that nothing has happened on. */
  synchronized void closeFd(int fd) {
    set.remove(fd);
    readiness.remove(fd);
  }

  /** The fds in the epoll set, but for the wakeup's. */
  synchronized List<Integer> watched() {
    return set.keySet().stream().filter(fd -> fd != EVENTFD).toList();
  }
}
