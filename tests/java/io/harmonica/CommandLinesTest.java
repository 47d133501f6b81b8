package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.cli.Harmonica;
import io.harmonica.cli.HarmonicaExport;
import io.harmonica.sampler.Sampler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Command lines in README and documents, held to what {@code --help} of each command prints. */
class CommandLinesTest {
  private static final Path PAGE = Path.of("docs/COMMANDS.md");
  private static final String EXPORT = "harmonica-export";

  /** Documents with options of Triton, Docker, kubectl, our scripts. */
  private static final List<Path> OF_OTHERS =
      List.of(
          Path.of("docs/ARCHITECTURE.md"),
          Path.of("docs/JAVA.md"),
          Path.of("docs/RESULTS.md"),
          Path.of("docs/RESULTS-TEXT.md"),
          Path.of("docs/RUNBOOK.md"),
          Path.of("export"),
          Path.of("triton-config"));

  /** By command: its whole help. */
  private static final Map<String, String> HELP = new LinkedHashMap<>();

  static {
    HELP.put(EXPORT, help(EXPORT));
    summaries().keySet().forEach(command -> HELP.put(command, help("harmonica", command)));
  }

  /** Code, in a block or within a sentence. */
  private static final Pattern CODE = Pattern.compile("(?ms)^```\\w*\\n(.*?)^```$|`([^`\\n]+)`");

  /** What is typed for a command, or only its name and options: {@code generate --count 3}. */
  private static final Pattern LINE =
      Pattern.compile(
          "(?m)(?:^|\\bbin/)(?:harmonica )?(%s)((?: [^#\\n|]*)?)"
              .formatted(String.join("|", HELP.keySet())));

  private static final Pattern OPTION = Pattern.compile("(?<=^|[ (\\[])--[a-z][a-z-]*");

  @Test
  void commandsPage_listsEveryCommand() throws IOException {
    List<String> rows = new ArrayList<>();
    summaries().forEach((name, summary) -> rows.add(row("harmonica " + name, summary)));
    rows.add(row(EXPORT, help(EXPORT).lines().findFirst().orElseThrow()));
    assertThat(rows).hasSizeGreaterThan(5);
    assertThat(Files.readAllLines(PAGE)).containsSequence(rows);
  }

  private static String row(String typed, String summary) {
    return "| `bin/%s` | %s |".formatted(typed, summary);
  }

  @Test
  void commandsPage_hasASectionForEach_withTheExamplesOfItsHelp() throws IOException {
    String page = Files.readString(PAGE);
    HELP.forEach(
        (command, help) -> {
          String typed = command.equals(EXPORT) ? EXPORT : "harmonica " + command;
          String examples =
              help.substring(help.indexOf("Examples:\n") + "Examples:\n".length())
                  .lines()
                  .map(String::strip)
                  .collect(Collectors.joining("\n"));
          assertThat(page).contains("## `%s`\n\n```sh\n%s\n```\n".formatted(typed, examples));
        });
  }

  static List<Path> documents() throws IOException {
    return DocumentationTest.documents();
  }

  @ParameterizedTest
  @MethodSource("documents")
  void commandLines_haveOptionsOfTheirCommand(Path document) throws IOException {
    for (String code : code(document)) {
      for (MatchResult line : (Iterable<MatchResult>) LINE.matcher(code).results()::iterator) {
        Set<String> unknown = new TreeSet<>(options(line.group(2)));
        unknown.removeAll(options(HELP.get(line.group(1))));
        assertThat(unknown).as("'%s' in %s", line.group().strip(), document).isEmpty();
      }
    }
  }

  /** Options by themselves, where a document names none of other programs. */
  @ParameterizedTest
  @MethodSource("documents")
  void options_areThoseOfSomeCommand(Path document) throws IOException {
    if (OF_OTHERS.stream().anyMatch(document::startsWith)) {
      return;
    }
    Set<String> all = new TreeSet<>();
    HELP.values().forEach(help -> all.addAll(options(help)));
    for (String code : code(document)) {
      if (code.startsWith("--")) {
        Set<String> unknown = new TreeSet<>(options(code));
        unknown.removeAll(all);
        assertThat(unknown).as("'%s' in %s", code, document).isEmpty();
      }
    }
  }

  @Test
  void samplersPage_listsEverySampler() throws IOException {
    assertThat(firstColumn("docs/SAMPLERS.md", "sampler")).isEqualTo(Sampler.NAMES);
  }

  @Test
  void policiesPage_listsEveryPolicy() throws IOException {
    List<String> policies =
        Pattern.compile("(?m)^ +harmonica policy (\\S+)")
            .matcher(HELP.get("policy"))
            .results()
            .map(usage -> usage.group(1))
            .toList();
    assertThat(firstColumn("docs/POLICIES.md", "policy"))
        .isNotEmpty()
        .containsExactlyInAnyOrderElementsOf(policies);
  }

  /** What a table's rows begin with. */
  private static List<String> firstColumn(String document, String heading) throws IOException {
    return Files.readAllLines(Path.of(document)).stream()
        .dropWhile(line -> !line.startsWith("| " + heading + " |"))
        .skip(2)
        .takeWhile(line -> line.startsWith("| `"))
        .map(line -> line.split("`")[1])
        .toList();
  }

  /** The code of a document, a continued line as one. */
  private static List<String> code(Path document) throws IOException {
    return CODE.matcher(Files.readString(document))
        .results()
        .map(code -> code.group(1) != null ? code.group(1) : code.group(2))
        .map(code -> code.replace("\\\n", " "))
        .toList();
  }

  private static Set<String> options(String text) {
    return OPTION.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
  }

  /** What the launcher's help says of each command. */
  private static Map<String, String> summaries() {
    Stream<String> lines =
        help("harmonica")
            .lines()
            .dropWhile(line -> !line.equals("Commands:"))
            .skip(1)
            .takeWhile(line -> !line.isBlank());
    Map<String, String> summaries = new LinkedHashMap<>();
    lines.map(line -> line.strip().split(" +", 2)).forEach(row -> summaries.put(row[0], row[1]));
    return summaries;
  }

  private static String help(String launcher, String... command) {
    ByteArrayOutputStream help = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(help, true, StandardCharsets.UTF_8);
    String[] words = Stream.concat(Stream.of(command), Stream.of("--help")).toArray(String[]::new);
    int code =
        launcher.equals(EXPORT)
            ? HarmonicaExport.run(words, out, out)
            : Harmonica.run(words, out, out);
    assertThat(code).isZero();
    return help.toString(StandardCharsets.UTF_8);
  }
}
