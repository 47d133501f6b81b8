package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The library names properties, for Java callers; what they are typed as only the command line
 * says.
 */
class MessagesTest {
  private static final Path SOURCES = Path.of("src/main/java/io/harmonica");
  private static final Pattern COMMENTS = Pattern.compile("(?s)/\\*.*?\\*/|(?m)^\\s*//.*$");
  private static final Pattern LITERAL = Pattern.compile("\"(?:[^\"\\\\\\n]|\\\\.)*\"");
  private static final Pattern FLAG = Pattern.compile("(?<![\\w-])--([a-z][\\w-]*)");
  private static final Pattern PROPERTY = Pattern.compile("`([a-z][A-Za-z0-9]*)`");

  /** Of other programs, or of a whole command line that a message says to type. */
  private static final Pattern OF_OTHERS =
      Pattern.compile(
          "bin/harmonica|pip download|trtexec|convert_pixart|model-control-mode|load-model|shm-size|Shapes=|verbose");

  @Test
  void library_namesNoFlags() throws IOException {
    assertThat(
            literals().filter(text -> FLAG.matcher(text).find() && !OF_OTHERS.matcher(text).find()))
        .isEmpty();
  }

  @Test
  void properties_areOptionsOfSomeCommand() throws IOException {
    Set<String> named =
        literals()
            .flatMap(text -> PROPERTY.matcher(text).results())
            .map(property -> property.group(1).replaceAll("([A-Z])", "-$1").toLowerCase())
            .collect(Collectors.toCollection(TreeSet::new));
    String commands = sources("cli").map(MessagesTest::read).collect(Collectors.joining());
    assertThat(named).hasSizeGreaterThan(30);
    assertThat(named).allMatch(option -> commands.contains("\"" + option + "\""));
  }

  private static Stream<String> literals() throws IOException {
    return sources("")
        .filter(file -> !file.startsWith(SOURCES.resolve("cli")))
        .map(file -> COMMENTS.matcher(read(file)).replaceAll(""))
        .flatMap(text -> LITERAL.matcher(text).results().map(MatchResult::group));
  }

  private static Stream<Path> sources(String folder) throws IOException {
    return Files.walk(SOURCES.resolve(folder)).filter(file -> file.toString().endsWith(".java"));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
