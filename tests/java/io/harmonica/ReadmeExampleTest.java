package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.example.DrawShapes;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.Model;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's Java example is the compiled one, and it runs. */
class ReadmeExampleTest {
  private static final Path EXAMPLE = Path.of("export/shapes-dit");

  @TempDir Path folder;

  @Test
  void drawShapes_writesPictures() throws IOException {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(EXAMPLE)) {
      Model model = Model.of(checkpoint, OptionalInt.empty());
      List<Router> routers = List.of(Router.read(EXAMPLE.resolve("routers/taylor-2.json")));
      new Exporter(model, routers, ExportOptions.of("shapes-dit")).export(repository);
    }
    DrawShapes.main(new String[] {repository.toString(), folder.resolve("out").toString()});
    byte[] star = Files.readAllBytes(folder.resolve("out/picture0.png"));
    byte[] heart = Files.readAllBytes(folder.resolve("out/picture1.png"));
    assertThat(star).isNotEmpty().isNotEqualTo(heart);
  }

  @Test
  void readme_showsTheWholeExample() throws IOException {
    String code = Files.readString(Path.of("tests/java/io/harmonica/example/DrawShapes.java"));
    assertThat(Files.readString(Path.of("README.md")))
        .contains("```java\n" + code.substring(code.indexOf("import ")) + "```\n");
  }
}
