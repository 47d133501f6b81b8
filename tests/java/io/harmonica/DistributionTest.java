package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive that {@code mvn package} makes, unpacked elsewhere. Runs after {@code package}. */
@Tag("consumer")
class DistributionTest {
  @TempDir static Path folder;

  private static Path home;

  @BeforeAll
  static void unpack() throws Exception {
    String name = "harmonica-" + Pom.read().text("version");
    Path archive = Path.of("target", name + ".tar.gz").toAbsolutePath();
    assertThat(archive).as("made by ./mvnw package").isRegularFile();
    Path to = Files.createDirectories(folder.resolve("any folder"));
    Run tar = Run.of(List.of("tar", "xzf", archive.toString(), "-C", to.toString()));
    assertThat(tar.exit()).as(tar.output()).isZero();
    home = to.resolve(name);
  }

  @Test
  void commands_fromAnyFolder_exportAndDraw() throws Exception {
    String example = home.resolve("export/shapes-dit").toString();
    String router = folder.resolve("half.json").toString();
    String models = folder.resolve("models").toString();
    run("harmonica", "policy", "fora", "--checkpoint", example, "--steps", "2", "--out", router);
    run(
        "harmonica-export",
        "--checkpoint",
        example,
        "--router",
        router,
        "--model-repository",
        models);
    Path pictures = folder.resolve("pictures");
    run(
        "harmonica",
        "generate",
        "--model-repository",
        models,
        "--model",
        "shapes-dit",
        "--router",
        "half",
        "--classes",
        "3",
        "--out",
        pictures.toString());
    try (Stream<Path> files = Files.list(pictures)) {
      assertThat(files).anySatisfy(file -> assertThat(file.toString()).endsWith(".png"));
    }
  }

  @Test
  void examples_areWhole() throws Exception {
    for (String example : List.of("shapes-dit", "scenes-pixart")) {
      Path own = Path.of("export", example);
      try (Stream<Path> files = Files.walk(own)) {
        assertThat(files.filter(Files::isRegularFile))
            .isNotEmpty()
            .allSatisfy(file -> assertThat(home.resolve(file)).hasSameBinaryContentAs(file));
      }
    }
    try (Stream<Path> folders = Files.walk(home).filter(Files::isDirectory)) {
      assertThat(folders).allSatisfy(folder -> assertThat(folder).isNotEmptyDirectory());
    }
  }

  private static void run(String command, String... words) throws Exception {
    Run run =
        Run.of(
            Stream.concat(Stream.of(home.resolve("bin/" + command).toString()), Stream.of(words))
                .toList());
    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).doesNotContain("building");
  }

  @Test
  void notices_nameEveryLibraryThatIsThere() throws Exception {
    assertThat(home.resolve("LICENSE")).isRegularFile();
    List<String>
        libraries = // what their files' names begin with; of versions the notices may have another
        Files.readAllLines(home.resolve("THIRD-PARTY.txt")).stream()
                .filter(line -> line.contains(" - "))
                .map(line -> line.replaceFirst(".*\\([^:(]+:([^:]+):\\S+ - .*", "$1-"))
                .toList();
    try (Stream<Path> jars = Files.list(home.resolve("lib"))) {
      List<String> others =
          jars.map(jar -> jar.getFileName().toString())
              .filter(jar -> !jar.equals("harmonica.jar"))
              .toList();
      assertThat(others)
          .hasSizeGreaterThan(40)
          .allSatisfy(jar -> assertThat(libraries).anyMatch(jar::startsWith));
    }
  }
}
