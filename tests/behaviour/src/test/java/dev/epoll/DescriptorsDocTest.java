package dev.epoll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.epoll.fd.AwaitableFd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/descriptors.md has a row for each kind of descriptor, and no other. */
class DescriptorsDocTest {
  private static final Pattern ROW = Pattern.compile("^\\| `([A-Za-z.]+)`.*\\|$");
  private static final int COLUMNS = 6;

  private static List<Matcher> rows() throws IOException {
    return Files.readAllLines(Path.of("../../docs/descriptors.md")).stream()
        .map(ROW::matcher)
        .filter(Matcher::matches)
        .toList();
  }

  private static Set<String> kinds() throws IOException {
    String jar = Poller.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    try (JarFile core = new JarFile(jar)) {
      return new ClassFileImporter()
          .importJar(core).stream()
              .filter(type -> type.isAssignableTo(AwaitableFd.class))
              .filter(type -> !type.getModifiers().contains(JavaModifier.ABSTRACT))
              .map(DescriptorsDocTest::name)
              .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** As users write it: an inner class behind its outer one. */
  private static String name(JavaClass type) {
    return type.getName().substring(type.getPackageName().length() + 1).replace('$', '.');
  }

  @Test
  void everyKindHasItsRow() throws IOException {
    Set<String> described =
        rows().stream().map(row -> row.group(1)).collect(Collectors.toCollection(TreeSet::new));
    Set<String> missing = new TreeSet<>(kinds());
    missing.removeAll(described);
    assertEquals(Set.of(), missing);
  }

  @Test
  void everyRowIsComplete() throws IOException {
    assertTrue(rows().size() > 10);
    for (Matcher row : rows()) {
      String[] cells = row.group().split("\\|", -1);
      assertEquals(COLUMNS + 2, cells.length, row.group());
      for (int i = 1; i <= COLUMNS; i++) {
        assertTrue(!cells[i].isBlank(), row.group());
      }
      assertTrue(cells[5].contains("https://man7.org/linux/man-pages/"), row.group());
    }
  }
}
