package io.harmonica;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What README and documents say of the project, held to the project. */
class DocumentationTest {
  private static final Path SOURCES = Path.of("src/main/java/io/harmonica");

  /** Targets of Markdown links and of images in HTML. */
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)|src=\"([^\"]+)\"");

  /** Files of the project named in running text; what a run makes is not there in a fresh clone. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(?<!\\[)`((?:src|docs|tests|bin|export|triton-config|\\.ci|\\.mvn)/[\\w./-]*)[^`]*`"
              + "|`((?:README|CONTRIBUTING|CHANGELOG)\\.md|pom\\.xml|mvnw|LICENSE)`");

  private static final Pattern COMMENT = Pattern.compile("(?s).*?/\\*\\*(.*?)\\*/.*");

  @Test
  void readme_packageTableHoldsTheirFirstSentences() throws IOException {
    List<String> rows = new ArrayList<>();
    ArchitectureTest.MAY_USE.forEach(
        (name, uses) ->
            rows.add("| %s | %s | %s |".formatted(link(name), firstSentence(name), uses(name))));
    assertThat(Files.readAllLines(Path.of("README.md"))).containsSequence(rows);
  }

  /** Whoever comes from the README finds every page by a link. */
  @Test
  void readme_leadsToEveryPage() throws IOException {
    List<String> targets =
        LINK.matcher(Files.readString(Path.of("README.md")))
            .results()
            .map(link -> link.group(1))
            .toList();
    assertThat(documents().stream().map(Path::toString).filter(page -> !page.equals("README.md")))
        .isNotEmpty()
        .isSubsetOf(targets);
  }

  /** {@code Type.member} in the recipes, by the source of that type. */
  @Test
  void recipes_nameWhatIsInTheCode() throws IOException {
    Pattern member = Pattern.compile("`([A-Z]\\w+)\\.(\\w+)`");
    List<MatchResult> named =
        member.matcher(Files.readString(Path.of("docs/EXTENDING.md"))).results().toList();
    assertThat(named).hasSizeGreaterThan(20);
    for (MatchResult name : named) {
      assertThat(declares(name.group(1), name.group(2))).as(name.group()).isTrue();
    }
  }

  private static boolean declares(String type, String member) throws IOException {
    Pattern of = Pattern.compile("\\b(class|interface|record|enum) " + type + "\\b");
    Pattern declared = Pattern.compile("(?m)^ +[\\w<> ,\\[\\].?]+ " + member + "( =|;|\\()");
    try (Stream<Path> main = Files.walk(SOURCES);
        Stream<Path> tests = Files.walk(Path.of("tests/java"))) {
      for (Path file :
          Stream.concat(main, tests).filter(f -> f.toString().endsWith(".java")).toList()) {
        String source = Files.readString(file);
        if (of.matcher(source).find() && declared.matcher(source).find()) {
          return true;
        }
      }
    }
    return false;
  }

  @Test
  void routerExample_isARouter() throws IOException {
    String text = Files.readString(Path.of("docs/ROUTER.md"));
    int start = text.indexOf("```json\n") + "```json\n".length();
    String json = text.substring(start, text.indexOf("```", start));
    Schedule schedule = Schedule.of(Router.parse(json, "docs/ROUTER.md"));
    assertThat(schedule.steps().get(1).weights()[1]).containsExactly(1, 0, 0);
    assertThat(schedule.steps().get(3).weights()[1]).containsExactly(1.5f, -0.5f, 0);
  }

  static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>();
    for (String folder : List.of(".", "docs", "export", "model_repository", "triton-config")) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        files
            .map(Path::normalize)
            .filter(file -> file.toString().endsWith(".md"))
            .sorted()
            .forEach(documents::add);
      }
    }
    return documents;
  }

  @ParameterizedTest
  @MethodSource("documents")
  void links_leadSomewhere(Path document) throws IOException {
    String text = Files.readString(document);
    for (MatchResult link : (Iterable<MatchResult>) LINK.matcher(text).results()::iterator) {
      String target = link.group(1) != null ? link.group(1) : link.group(2);
      if (target.matches("[a-z]+:.*")) {
        continue;
      }
      String[] parts = target.split("#", 2);
      Path file = parts[0].isEmpty() ? document : document.resolveSibling(parts[0]);
      assertThat(file).as("link %s in %s", target, document).exists();
      if (parts.length == 2) {
        assertThat(anchors(file)).as("link %s in %s", target, document).contains(parts[1]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void namedFiles_exist(Path document) throws IOException {
    String text = Files.readString(document).replaceAll("(?ms)^```.*?^```$", "");
    for (MatchResult name : (Iterable<MatchResult>) NAMED.matcher(text).results()::iterator) {
      String file = name.group(1) != null ? name.group(1) : name.group(2);
      assertThat(Path.of(file)).as("named in %s", document).exists();
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void placeholders_areFilled(Path document) throws IOException {
    assertThat(Files.readString(document)).doesNotContain("goes here", "go here", "to be filled");
  }

  @Test
  void compatibility_everyRowNamesTestsThatAreThere() throws IOException {
    List<TestTable> tables = TestTable.of(Path.of("docs/COMPATIBILITY.md"));
    assertThat(tables).hasSizeGreaterThan(3);
    assertThat(tables.stream().flatMap(table -> table.rows().stream()))
        .isNotEmpty()
        .extracting(row -> row.fault(3, true).orElse("none"))
        .containsOnly("none");
  }

  @Test
  void compatibility_noSectionIsEmpty() throws IOException {
    assertThat(TestTable.of(Path.of("docs/COMPATIBILITY.md")))
        .allSatisfy(table -> assertThat(table.rows()).as(table.section()).isNotEmpty());
  }

  @Test
  void contributing_featuresNameTestsThatAreThere() throws IOException {
    List<TestTable> tables = TestTable.of(Path.of("CONTRIBUTING.md"));
    assertThat(tables).hasSize(1);
    assertThat(tables.get(0).rows())
        .isNotEmpty()
        .extracting(row -> row.fault(2, false).orElse("none"))
        .containsOnly("none");
  }

  /** So that {@code -DexcludedGroups=triton} runs where no server can be installed. */
  @Test
  void testsThatStartAServer_areTagged() throws IOException {
    Pattern starts = Pattern.compile("(?<![\\w\"'])(TritonServer|Faults)\\.\\w+\\(");
    int tagged = 0;
    try (Stream<Path> files = Files.walk(Path.of("tests/java"))) {
      for (Path file : files.filter(f -> f.toString().endsWith("Test.java")).toList()) {
        String source = Files.readString(file);
        if (starts.matcher(source).find()) {
          assertThat(source).as("%s", file).contains("@Tag(\"triton\")");
          tagged++;
        }
      }
    }
    assertThat(tagged).isPositive();
  }

  private static String link(String name) {
    return "[`%s`](%s)".formatted(name, folder(name));
  }

  private static Path folder(String name) {
    return name.equals("io.harmonica") ? SOURCES : SOURCES.resolve(name.replace('.', '/'));
  }

  private static String uses(String name) {
    Set<String> all = ArchitectureTest.MAY_USE.keySet();
    Set<String> own = ArchitectureTest.MAY_USE.get(name);
    if (own.size() >= all.size() - 3) {
      return all.stream()
          .filter(other -> !own.contains(other) && !other.equals(name))
          .collect(joining(", ", "all but ", ""));
    }
    String named =
        all.stream() // in the table's order
            .filter(own::contains)
            .filter(other -> !other.equals("io.harmonica")) // every package may
            .collect(joining(", "));
    return named.isEmpty() ? "none" : named;
  }

  /** Of the package's comment, as Javadoc would show it in the package list. */
  private static String firstSentence(String name) {
    Path folder = folder(name);
    try {
      Matcher comment = COMMENT.matcher(Files.readString(folder.resolve("package-info.java")));
      assertThat(comment.matches()).as("comment of package %s", name).isTrue();
      String text = comment.group(1).replaceAll("\\n \\*", "\n").replaceAll("\\s+", " ").strip();
      return text.replaceFirst("\\. .*", ".");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The headings of a document, as their anchors are written. */
  private static List<String> anchors(Path document) throws IOException {
    try (Stream<String> lines = Files.lines(document)) {
      return lines
          .filter(line -> line.startsWith("#"))
          .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(java.util.Locale.ROOT))
          .map(line -> line.replaceAll("[^\\w\\- ]", "").replace(' ', '-'))
          .toList();
    }
  }
}
