package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileNamesTest {
  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plain",
        "a b",
        "100%",
        "%41",
        "a?b#c",
        "ü",
        "\u00c3\u00bc",
        "\u00ff",
        "-",
        "\n",
        "\\"
      })
  void everyNameSurvivesTheWayThereAndBack(String name, @TempDir Path directory)
      throws IOException {
    byte[] bytes = latin1(name);
    Path file = directory.resolve(FileNames.element(bytes));
    Files.createFile(file);
    try (Stream<Path> listed = Files.list(directory)) {
      assertEquals(file, listed.findFirst().orElseThrow());
    }
    byte[] whole = FileNames.encode(file);
    String prefix = directory + "/";
    assertEquals(prefix + name, new String(whole, StandardCharsets.ISO_8859_1));
  }

  @Test
  void aPathIsMadeAbsoluteAndHasNoSlashAtItsEnd(@TempDir Path directory) throws IOException {
    assertArrayEquals(latin1("/"), FileNames.encode(Path.of("/")));
    assertArrayEquals(latin1(directory.toString()), FileNames.encode(directory));
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
    assertArrayEquals(latin1(link.toString()), FileNames.encode(link));
    assertArrayEquals(
        latin1(Path.of("x").toAbsolutePath().toString()), FileNames.encode(Path.of("x")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a", "/", "/a", "a/b", "./a", "../\u00ff/\u00fe", "/\u00ff/b", "\u00c3/x"})
  void aNameAsGivenIsNotMadeAbsolute(String name) {
    Path path = FileNames.path(latin1(name));
    assertArrayEquals(latin1(name), FileNames.encodeAsGiven(path));
    assertEquals(name.startsWith("/"), path.isAbsolute());
  }

  @Test
  void theEmptyNameIsTheEmptyPath() {
    assertArrayEquals(new byte[0], FileNames.encodeAsGiven(Path.of("")));
    assertEquals(Path.of(""), FileNames.path(new byte[0]));
    assertEquals(Path.of("/a/b"), FileNames.path(latin1("//a//b/")));
  }

  @Test
  void aPathOfAnotherFileSystemIsRefused(@TempDir Path directory) throws IOException {
    URI zip = URI.create("jar:" + directory.resolve("x.zip").toUri());
    try (FileSystem other = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
      ProviderMismatchException e =
          assertThrows(
              ProviderMismatchException.class, () -> FileNames.encode(other.getPath("/inside")));
      assertTrue(e.getMessage().contains("/inside"), e::getMessage);
    }
  }
}
