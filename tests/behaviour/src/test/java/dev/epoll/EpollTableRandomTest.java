package dev.epoll;

import static dev.epoll.testing.LibC.C;
import static dev.epoll.testing.LibC.check;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.epoll.testing.LibC;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

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
  private final List<String> history = new ArrayList<>();
  private Epoll epoll;
  private int files;
  private long lastData;

  private record Key(int file, int number) {}

  private interface Call {
    void run() throws IOException;
  }

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open();
    for (int i = 0; i < NUMBERS; i++) {
      int fd = check(C.eventfd(0, LibC.O_CLOEXEC));
      numbers[i] = check(C.fcntl(fd, F_DUPFD_CLOEXEC, NUMBERS_FROM));
      check(C.close(fd));
      fileOf.put(numbers[i], ++files);
    }
  }

  @AfterEach
  void close() {
    epoll.close();
    fileOf.keySet().forEach(C::close);
  }

  @RepeatedTest(25)
  void theTableFollowsTheKernel(RepetitionInfo repetition) throws Exception {
    long seed = new Random().nextLong();
    history.add("seed " + seed + " in repetition " + repetition.getCurrentRepetition());
    Random random = new Random(seed);
    for (int i = 0; i < STEPS; i++) {
      step(random);
      assertEquals(
          inOrder(List.copyOf(model.values())), inOrder(epoll.kernelEntries()), this::story);
    }
    for (int number : numbers) {
      call("remove " + number, number, () -> epoll.remove(number), () -> delete(number));
    }
    assertEquals(List.of(), epoll.entries(), this::story);
  }

  private void step(Random random) throws Exception {
    int number = numbers[random.nextInt(NUMBERS)];
    EventMask mask = MASKS.get(random.nextInt(MASKS.size()));
    long data = ++lastData;
    Epoll.Entry entry = new Epoll.Entry(number, mask, data);
    switch (random.nextInt(8)) {
      case 0, 1 ->
          call("add " + entry, number, () -> epoll.add(number, mask, data), () -> add(entry));
      case 2 ->
          call("modify " + entry, number, () -> epoll.modify(number, mask, data), () -> mod(entry));
      case 3 -> call("set " + entry, number, () -> epoll.set(number, mask, data), () -> put(entry));
      case 4 -> call("remove " + number, number, () -> epoll.remove(number), () -> delete(number));
      case 5 -> closeOrReopen(number);
      default -> duplicate(numbers[random.nextInt(NUMBERS)], number);
    }
  }

  /** Both the library and the model, which must agree on the outcome and on the entry. */
  private void call(String name, int number, Call call, Supplier<String> modelled)
      throws IOException {
    history.add(name);
    String outcome = "";
    try {
      call.run();
    } catch (SyscallException e) {
      outcome = e.errnoName();
    }
    assertEquals(modelled.get(), outcome, this::story);
    if (heldWithNumber(number) <= 1) { // else the list does not tell which of them is meant
      assertEquals(Optional.ofNullable(model.get(key(number))), epoll.find(number), this::story);
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

  private void closeOrReopen(int number) {
    if (fileOf.containsKey(number)) {
      history.add("close " + number);
      check(C.close(number));
      fileOf.remove(number);
      dropClosedFiles();
    } else {
      history.add("reopen " + number);
      int fresh = check(C.eventfd(0, LibC.O_CLOEXEC));
      check(C.dup2(fresh, number));
      check(C.close(fresh));
      fileOf.put(number, ++files);
    }
  }

  private void duplicate(int from, int to) {
    if (fileOf.containsKey(from)) {
      history.add("dup2 " + from + " over " + to);
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

  private String story() {
    int shown = Math.min(40, history.size() - 1);
    return history.get(0)
        + ", ends with "
        + String.join("; ", history.subList(history.size() - shown, history.size()));
  }
}
