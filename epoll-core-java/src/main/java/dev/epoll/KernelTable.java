package dev.epoll;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kernel's own list of an epoll set, from {@code /proc/self/fdinfo} (proc_pid_fdinfo(5)). */
final class KernelTable {
  private static final Pattern ENTRY =
      Pattern.compile("tfd:\\s*(\\d+)\\s+events:\\s*(\\p{XDigit}+)\\s+data:\\s*(\\p{XDigit}+).*");

  private KernelTable() {}

  static List<Epoll.Entry> read(int epfd) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/fdinfo/" + epfd)).stream()
        .map(ENTRY::matcher)
        .filter(Matcher::matches)
        .map(KernelTable::entry)
        .sorted(Comparator.comparingInt(Epoll.Entry::fd))
        .toList();
  }

  private static Epoll.Entry entry(Matcher line) {
    return new Epoll.Entry(
        Integer.parseInt(line.group(1)),
        EventMask.of(Integer.parseUnsignedInt(line.group(2), 16)),
        Long.parseUnsignedLong(line.group(3), 16));
  }
}
