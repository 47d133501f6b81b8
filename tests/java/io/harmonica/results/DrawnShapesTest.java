package io.harmonica.results;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.picture.Latents;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DrawnShapesTest {
  private static final Path VECTORS =
      Path.of("tests/resources/io/harmonica/results/shapes.safetensors");

  @Test
  void draw_isTheScripts() {
    try (Checkpoint vectors = Checkpoint.open(VECTORS)) {
      float[] pictures = Golden.floats(vectors, "pictures");
      float[] uniform = Golden.floats(vectors, "uniform");
      int count = Golden.size(vectors, "pictures", 0);
      int size = Golden.size(vectors, "pictures", 2);
      assertThat(Golden.size(vectors, "uniform", 1)).isEqualTo(DrawnShapes.DRAWS);
      int values = 3 * size * size;
      for (int i = 0; i < count; i++) {
        double[] u = new double[DrawnShapes.DRAWS];
        for (int k = 0; k < u.length; k++) {
          u[k] = uniform[i * u.length + k];
        }
        Golden.assertClose(
            "class " + i % DrawnShapes.CLASSES,
            DrawnShapes.draw(i % DrawnShapes.CLASSES, u, size),
            Arrays.copyOfRange(pictures, i * values, (i + 1) * values),
            1e-5);
      }
    }
  }

  @Test
  void draw_dependsOnSeedAndPlaceOnly() {
    Latents all = DrawnShapes.draw(12, 8, 5);
    Latents later = DrawnShapes.draw(2, 8, 15); // picture 10 and 11, both of classes 0 and 1
    assertThat(Arrays.copyOfRange(all.values(), 10 * 192, 12 * 192)).isEqualTo(later.values());
    assertThat(DrawnShapes.draw(12, 8, 6).values()).isNotEqualTo(all.values());
  }
}
