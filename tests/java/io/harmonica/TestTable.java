package io.harmonica;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * A table of a document whose last column names tests: {@code `FooTest`} or {@code
 * `FooTest.behaviour_condition`}, several with commas between them.
 *
 * @param section the heading above it
 */
record TestTable(String section, List<Row> rows) {
  private static final Path TESTS = Path.of("tests/java");

  /**
   * One row.
   *
   * @param text the whole of it, for messages
   * @param cells without the bars; a bar within a cell is written {@code \|}
   */
  record Row(String text, List<String> cells) {

    /** What is wrong with it, or nothing. */
    Optional<String> fault(int columns, boolean byMethod) {
      if (cells.size() != columns || cells.contains("")) {
        return Optional.of("expected %d filled columns: %s".formatted(columns, text));
      }
      return Arrays.stream(cells.get(columns - 1).split(",", -1))
          .map(name -> fault(name.strip(), byMethod))
          .flatMap(Optional::stream)
          .findFirst()
          .map(fault -> fault + ": " + text);
    }

    private static Optional<String> fault(String quoted, boolean byMethod) {
      if (!quoted.matches(byMethod ? "`\\w+\\.\\w+`" : "`\\w+(\\.\\w+)?`")) {
        return Optional.of(
            "expected `Class%s` and no other words, found %s"
                .formatted(byMethod ? ".method" : "", quoted.isEmpty() ? "nothing" : quoted));
      }
      String[] name = quoted.replace("`", "").split("\\.");
      List<Class<?>> classes = classes(name[0]);
      if (classes.isEmpty()) {
        return Optional.of("no %s.java in %s".formatted(name[0], TESTS));
      }
      boolean found = name.length == 1 || classes.stream().anyMatch(one -> hasTest(one, name[1]));
      return found ? Optional.empty() : Optional.of("no test " + String.join(".", name));
    }
  }

  /** The tables of a document with a last column {@code test}, in their order. */
  static List<TestTable> of(Path document) throws IOException {
    List<TestTable> tables = new ArrayList<>();
    String section = "";
    List<Row> rows = null;
    for (String line : Files.readAllLines(document)) {
      if (line.startsWith("#")) {
        section = line.replaceFirst("#+ ", "");
      }
      if (!line.startsWith("|")) {
        rows = null;
      } else if (line.endsWith("| test |")) {
        rows = new ArrayList<>();
        tables.add(new TestTable(section, rows));
      } else if (rows != null && !line.matches("[|-]+")) {
        rows.add(new Row(line, cells(line)));
      }
    }
    return tables;
  }

  private static List<String> cells(String line) {
    String[] cells = line.strip().replaceFirst("\\|$", "").split("(?<!\\\\)\\|", -1);
    return Arrays.stream(cells)
        .skip(1)
        .map(String::strip)
        .toList(); // before the first bar: nothing
  }

  /** Those of a simple name; two packages may have one each. */
  private static List<Class<?>> classes(String simpleName) {
    try (Stream<Path> files = Files.walk(TESTS)) {
      List<Class<?>> classes = new ArrayList<>();
      for (Path file : files.filter(f -> f.endsWith(simpleName + ".java")).toList()) {
        String name = TESTS.relativize(file).toString().replace('/', '.');
        classes.add(Class.forName(name.substring(0, name.length() - ".java".length())));
      }
      return classes;
    } catch (IOException | ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Its own or inherited, of any kind that JUnit runs. */
  private static boolean hasTest(Class<?> one, String name) {
    for (Class<?> owner = one; owner != null; owner = owner.getSuperclass()) {
      for (Method method : owner.getDeclaredMethods()) {
        if (method.getName().equals(name)
            && AnnotationSupport.isAnnotated(method, Testable.class)) {
          return true;
        }
      }
    }
    return false;
  }
}
