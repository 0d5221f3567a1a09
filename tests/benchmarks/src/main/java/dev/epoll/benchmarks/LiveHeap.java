package dev.epoll.benchmarks;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bytes that live objects have in a JVM's heap, by class, as the JVM itself counts them. */
record LiveHeap(Map<String, Long> bytesByClass) {
  private static final Pattern ROW = Pattern.compile("\\s*\\d+:\\s+\\d+\\s+(\\d+)\\s+(\\S+).*");

  /** Looks at the JVM that is process {@code pid}. */
  static LiveHeap of(long pid) {
    // The first collection lets go of what only soft and weak references and cleaners still hold.
    histogram(pid);
    return histogram(pid);
  }

  private static LiveHeap histogram(long pid) {
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    Map<String, Long> bytes = new LinkedHashMap<>();
    Command.run(List.of(jcmd, Long.toString(pid), "GC.class_histogram")).stream()
        .map(ROW::matcher)
        .filter(Matcher::matches)
        .forEach(row -> bytes.merge(row.group(2), Long.parseLong(row.group(1)), Long::sum));
    if (bytes.isEmpty()) {
      throw new BenchmarkFailure("jcmd gives no histogram of process " + pid);
    }
    return new LiveHeap(bytes);
  }

  /** What each class has more, or less, than in {@code before}. */
  Map<String, Long> since(LiveHeap before) {
    Map<String, Long> difference = new LinkedHashMap<>(bytesByClass);
    before.bytesByClass.forEach((type, bytes) -> difference.merge(type, -bytes, Long::sum));
    return difference;
  }
}
