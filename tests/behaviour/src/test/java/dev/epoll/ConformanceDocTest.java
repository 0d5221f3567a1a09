package dev.epoll;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Keeps conformance.tsv, the tests that name its rows, and docs/conformance.md in step. A row is
 * named by {@code @Conformance(row)} in Java and by {@code (#row)} in the name of a Kotest test.
 *
 * <p>Run with {@code -Dconformance.update=true}, it writes the document.
 */
class ConformanceDocTest {
  private static final Path TESTS = Path.of("src", "test").toAbsolutePath();
  private static final Path DOCUMENT = TESTS.resolve("../../../../docs/conformance.md").normalize();

  private static final String ABOUT =
      """
      # Conformance

      What epoll and an await API over it must do, row by row, and the test that shows it. The rows come from reading
      the test suites of other epoll libraries; ids have gaps. A row that nothing shows yet says why.

      Generated from `tests/behaviour/src/test/resources/conformance.tsv` and the tests: change those, then run
      `mvn verify -Dlane=jdk25-ffm -Dtest=ConformanceDocTest -Dconformance.update=true`.
      """;

  private final List<Row> rows = readRows();
  private final Map<Integer, Set<String>> tests = scanTests();

  private record Row(int id, String area, String behaviour, String reason) {}

  @Test
  void everyRowIsShownByATestOrSaysWhyNot() {
    assertEquals(List.of(), ids(row -> row.reason.isEmpty() && !tests.containsKey(row.id)));
  }

  @Test
  void noRowThatATestShowsHasAReasonAgainst() {
    assertEquals(List.of(), ids(row -> !row.reason.isEmpty() && tests.containsKey(row.id)));
  }

  @Test
  void noTestNamesAnUnknownRow() {
    Map<Integer, Set<String>> unknown = new TreeMap<>(tests);
    rows.forEach(row -> unknown.remove(row.id));
    assertEquals(Map.of(), unknown);
  }

  @Test
  void rowsAreInOrderAndComplete() {
    List<Integer> ids = ids(row -> true);
    assertEquals(ids, ids.stream().distinct().sorted().toList());
    assertEquals(List.of(), ids(row -> row.area.isBlank() || row.behaviour.isBlank()));
  }

  @Test
  void theDocumentSaysWhatTheTestsShow() throws IOException {
    if (Boolean.getBoolean("conformance.update")) {
      Files.createDirectories(DOCUMENT.getParent());
      Files.writeString(DOCUMENT, document());
    }
    String written = Files.exists(DOCUMENT) ? Files.readString(DOCUMENT) : "";
    assertEquals(document(), written, "run again with -Dconformance.update=true");
  }

  private List<Integer> ids(Predicate<Row> wanted) {
    return rows.stream().filter(wanted).map(Row::id).toList();
  }

  private String document() {
    long shown = rows.stream().filter(row -> tests.containsKey(row.id)).count();
    Map<String, List<Row>> byArea = new LinkedHashMap<>();
    rows.forEach(row -> byArea.computeIfAbsent(row.area, area -> new ArrayList<>()).add(row));
    StringBuilder text = new StringBuilder(ABOUT);
    text.append("\n%d of %d rows are shown by tests.\n".formatted(shown, rows.size()));
    byArea.forEach(
        (area, ofArea) ->
            text.append("\n## ")
                .append(area)
                .append("\n\n| row | behaviour | shown by |\n| ---: | --- | --- |\n")
                .append(ofArea.stream().map(this::line).collect(joining())));
    return text.toString();
  }

  private String line(Row row) {
    Set<String> shownBy = tests.getOrDefault(row.id, Set.of());
    String last =
        shownBy.isEmpty()
            ? (row.reason.isEmpty() ? "" : "not shown: " + row.reason)
            : shownBy.stream().map(test -> "`" + test + "`").collect(joining("<br>"));
    return "| %d | %s | %s |\n".formatted(row.id, row.behaviour, last);
  }

  private static List<Row> readRows() {
    return read(TESTS.resolve("resources/conformance.tsv"))
        .lines()
        .skip(1)
        .map(
            line -> {
              String[] cells = line.split("\t", 4);
              String reason = cells.length > 3 ? cells[3].strip() : "";
              return new Row(Integer.parseInt(cells[0]), cells[1], cells[2], reason);
            })
        .toList();
  }

  private static Map<Integer, Set<String>> scanTests() {
    Map<Integer, Set<String>> found = new TreeMap<>();
    sources(".java").forEach(file -> scanJava(file, found));
    sources(".kt").forEach(file -> scanKotlin(file, found));
    return found;
  }

  private static final Pattern MARK =
      Pattern.compile("@Conformance\\(\\s*(?:value\\s*=\\s*)?\\{?([\\d,_\\s]+)}?\\s*\\)");
  private static final Pattern ANNOTATION =
      Pattern.compile("\\s*@[\\w.]+(?:\\((?:[^()\"]|\"[^\"]*\"|\\([^()]*\\))*\\))?");
  private static final Pattern MARKED =
      Pattern.compile("\\b(?:class|interface)\\s+(?<type>\\w+)|\\b(?<method>\\w+)\\s*\\(");

  private static void scanJava(Path file, Map<Integer, Set<String>> found) {
    String source = read(file);
    String className = baseName(file);
    Matcher mark = MARK.matcher(source);
    while (mark.find()) {
      int end = mark.end();
      Matcher annotation = ANNOTATION.matcher(source);
      while (annotation.region(end, source.length()).lookingAt()) {
        end = annotation.end();
      }
      Matcher marked = MARKED.matcher(source);
      if (!marked.find(end)) {
        throw new AssertionError(file + ": a @Conformance that marks nothing");
      }
      String method = marked.group("method");
      add(found, mark.group(1), method == null ? className : className + "." + method);
    }
  }

  private static final Pattern STRING = Pattern.compile("\"((?:[^\"\\\\\n]|\\\\.)*)\"");
  private static final Pattern ROWS = Pattern.compile("\\s*\\((#\\d+(?:,? ?#\\d+)*)\\)");

  private static void scanKotlin(Path file, Map<Integer, Set<String>> found) {
    for (MatchResult string : STRING.matcher(read(file)).results().toList()) {
      String name = string.group(1);
      String sentence = ROWS.matcher(name).replaceAll("").strip();
      for (MatchResult numbers : ROWS.matcher(name).results().toList()) {
        add(found, numbers.group(1), baseName(file) + ": " + sentence);
      }
    }
  }

  private static void add(Map<Integer, Set<String>> found, String numbers, String test) {
    Pattern.compile("\\d+")
        .matcher(numbers)
        .results()
        .map(number -> Integer.valueOf(number.group()))
        .forEach(row -> found.computeIfAbsent(row, key -> new TreeSet<>()).add(test));
  }

  private static List<Path> sources(String ending) {
    if (!Files.isDirectory(TESTS)) {
      throw new AssertionError(TESTS + " is missing: run the tests in the module's directory");
    }
    try (Stream<Path> files = Files.walk(TESTS)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String baseName(Path file) {
    String name = file.getFileName().toString();
    return name.substring(0, name.lastIndexOf('.'));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
