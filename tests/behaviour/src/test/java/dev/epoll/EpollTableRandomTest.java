package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.testing.LibC;
import dev.epoll.testing.RandomRun;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Random calls, closes and duplicates against a model of the kernel: an entry belongs to a file and
 * a number, and goes with the last fd of the file.
 */
class EpollTableRandomTest {
  private static final int NUMBERS = 6;
  private static final int F_DUPFD_CLOEXEC = 1030;
  // So high that no other thread of the JVM is given one while it is closed.
  private static final int NUMBERS_FROM = 2000;
  private static final int STEPS = 400;
  private static final List<EventMask> MASKS =
      List.of(
          EventMask.NONE,
          EventMask.IN,
          EventMask.IN.or(EventMask.OUT),
          EventMask.OUT.or(EventMask.ONESHOT),
          EventMask.RDHUP.or(EventMask.EDGE_TRIGGERED));

  private final int[] numbers = new int[NUMBERS];
  private final Map<Integer, Integer> fileOf = new HashMap<>();
  private final Map<Key, Epoll.Entry> model = new HashMap<>();
  private Epoll epoll;
  private int files;
  private long lastData;

  private record Key(int file, int number) {}

  private interface Call {
    void run() throws IOException;
  }

  private void open() throws Exception {
    epoll = Epoll.open();
    for (int i = 0; i < NUMBERS; i++) {
      int fd = check(C.eventfd(0, LibC.O_CLOEXEC));
      numbers[i] = check(C.fcntl(fd, F_DUPFD_CLOEXEC, NUMBERS_FROM));
      check(C.close(fd));
      fileOf.put(numbers[i], ++files);
    }
  }

  private void close() {
    epoll.close();
    fileOf.keySet().forEach(C::close);
    fileOf.clear();
    model.clear();
  }

  @Test
  void theTableFollowsTheKernel() {
    RandomRun.repeat(
        25,
        run -> {
          open();
          try {
            follow(run);
          } finally {
            close();
          }
        });
  }

  private void follow(RandomRun run) throws Exception {
    for (int i = 0; i < STEPS; i++) {
      step(run);
      assertEquals(inOrder(List.copyOf(model.values())), inOrder(epoll.kernelEntries()));
    }
    for (int number : numbers) {
      call(run, "remove " + number, number, () -> epoll.remove(number), () -> delete(number));
    }
    assertEquals(List.of(), epoll.entries());
  }

  private void step(RandomRun run) throws Exception {
    int number = numbers[run.below(NUMBERS)];
    EventMask mask = run.oneOf(MASKS);
    long data = ++lastData;
    Epoll.Entry entry = new Epoll.Entry(number, mask, data);
    switch (run.below(8)) {
      case 0, 1 ->
          call(run, "add " + entry, number, () -> epoll.add(number, mask, data), () -> add(entry));
      case 2 ->
          call(
              run,
              "modify " + entry,
              number,
              () -> epoll.modify(number, mask, data),
              () -> mod(entry));
      case 3 ->
          call(run, "set " + entry, number, () -> epoll.set(number, mask, data), () -> put(entry));
      case 4 ->
          call(run, "remove " + number, number, () -> epoll.remove(number), () -> delete(number));
      case 5 -> closeOrReopen(run, number);
      default -> duplicate(run, numbers[run.below(NUMBERS)], number);
    }
  }

  /** Both the library and the model, which must agree on the outcome and on the entry. */
  private void call(RandomRun run, String name, int number, Call call, Supplier<String> modelled)
      throws IOException {
    run.step(name);
    String outcome = "";
    try {
      call.run();
    } catch (SyscallException e) {
      outcome = e.errnoName();
    }
    assertEquals(modelled.get(), outcome);
    if (heldWithNumber(number) <= 1) { // else the list does not tell which of them is meant
      assertEquals(Optional.ofNullable(model.get(key(number))), epoll.find(number));
    }
  }

  private Key key(int number) {
    return new Key(fileOf.getOrDefault(number, 0), number);
  }

  private long heldWithNumber(int number) {
    return model.keySet().stream().filter(key -> key.number() == number).count();
  }

  private String add(Epoll.Entry entry) {
    if (!fileOf.containsKey(entry.fd())) {
      return "EBADF";
    }
    return model.putIfAbsent(key(entry.fd()), entry) == null ? "" : "EEXIST";
  }

  private String mod(Epoll.Entry entry) {
    if (!fileOf.containsKey(entry.fd())) {
      return "EBADF";
    }
    return model.replace(key(entry.fd()), entry) == null ? "ENOENT" : "";
  }

  private String put(Epoll.Entry entry) {
    if (!fileOf.containsKey(entry.fd())) {
      return "EBADF";
    }
    model.put(key(entry.fd()), entry);
    return "";
  }

  private String delete(int number) {
    if (!fileOf.containsKey(number)) {
      return "EBADF";
    }
    return model.remove(key(number)) == null ? "ENOENT" : "";
  }

  private void closeOrReopen(RandomRun run, int number) {
    if (fileOf.containsKey(number)) {
      run.step("close " + number);
      check(C.close(number));
      fileOf.remove(number);
      dropClosedFiles();
    } else {
      run.step("reopen " + number);
      int fresh = check(C.eventfd(0, LibC.O_CLOEXEC));
      check(C.dup2(fresh, number));
      check(C.close(fresh));
      fileOf.put(number, ++files);
    }
  }

  private void duplicate(RandomRun run, int from, int to) {
    if (fileOf.containsKey(from)) {
      run.step("dup2 " + from + " over " + to);
      check(C.dup2(from, to));
      fileOf.put(to, fileOf.get(from));
      dropClosedFiles();
    }
  }

  private void dropClosedFiles() {
    model.keySet().removeIf(key -> !fileOf.containsValue(key.file()));
  }

  private static List<Epoll.Entry> inOrder(List<Epoll.Entry> entries) {
    return entries.stream()
        .sorted(Comparator.comparingInt(Epoll.Entry::fd).thenComparingLong(Epoll.Entry::data))
        .toList();
  }
}
