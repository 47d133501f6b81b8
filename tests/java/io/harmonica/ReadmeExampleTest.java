package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's Java example is the consumers' code, and it runs from its source. */
class ReadmeExampleTest {
  static final Path CODE = Path.of("tests/consumer/src/DrawShapes.java");

  private static final Path EXAMPLE = Path.of("export/shapes-dit");

  @TempDir Path folder;

  /** Exports the example with the router that the code names, whole steps as engines. */
  static Path export(Path repository) {
    return Exports.export(
        EXAMPLE,
        OptionalInt.empty(),
        List.of(Router.read(EXAMPLE.resolve("routers/taylor-2.json"))),
        ExportOptions.of("shapes-dit").withBlocksPerEngine(0),
        repository);
  }

  @Test
  void drawShapes_writesPictures() throws Exception {
    Path repository = export(folder.resolve("repository"));
    String out = folder.resolve("out").toString();
    Run run =
        Run.java(
            System.getProperty("java.class.path"), CODE.toString(), repository.toString(), out);
    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains("step 20 of 20", "2 pictures in ");
    assertThat(Files.readAllBytes(folder.resolve("out/picture0.png")))
        .isNotEmpty()
        .isNotEqualTo(Files.readAllBytes(folder.resolve("out/picture1.png")));
  }

  @Test
  void readme_showsTheWholeExample() throws IOException {
    assertThat(Files.readString(Path.of("README.md")))
        .contains("```java\n" + Files.readString(CODE) + "```\n");
  }
}
