package io.harmonica.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Element;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation.Floats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Outputs in 8 bits and back, over all sizes of numbers. */
class KeptRowsTest {
  private static final int ROWS = 60;
  private static final int WIDTH = 16;

  @TempDir Path folder;

  @Test
  void rows_comeBackWithinHalfACodeOfTheirOwnLargest() throws IOException {
    float[] x = new float[2 * ROWS * WIDTH];
    Random random = new Random(5);
    for (int row = 1; row < 2 * ROWS; row++) { // row 0 is zeros
      double size = Math.pow(2, row / 2.0 - 22); // up to 2^37
      for (int i = 0; i < WIDTH; i++) {
        x[row * WIDTH + i] = (float) (size * random.nextGaussian());
      }
      x[row * WIDTH + row % WIDTH] = (float) (row % 2 == 0 ? -4 * size : 4 * size);
    }
    Graph graph = new Graph("rows");
    WeightFile none = WeightFile.create(folder.resolve(WeightFile.NAME));
    OnnxOps ops = new OnnxOps(graph, Weights.NONE, none, Precision.FP32);
    none.close(); // constants are small
    KeptRows rows = new KeptRows(graph, ops);
    Value kept = rows.of(graph.input("x", Element.FP32, ROWS, WIDTH));
    assertThat(kept.type()).isEqualTo(Element.UINT8);
    assertThat(KeptRows.shape(ROWS, WIDTH)).containsExactly(ROWS, WIDTH + 1);
    graph.output("y", rows.read(kept, ROWS, WIDTH), ROWS, WIDTH);
    float[] y =
        Evaluation.run(graph.model(), folder, Map.of("x", new Floats(x, 2, ROWS, WIDTH)))
            .get("y")
            .values();
    for (int row = 0; row < 2 * ROWS; row++) {
      float largest = 0;
      for (int i = 0; i < WIDTH; i++) {
        largest = Math.max(largest, Math.abs(x[row * WIDTH + i]));
      }
      double most = largest * Math.pow(2, 0.25) / 127 * 0.5001;
      for (int i = 0; i < WIDTH; i++) {
        assertThat(Math.abs(y[row * WIDTH + i] - x[row * WIDTH + i]))
            .as("row %d of largest %s", row, largest)
            .isLessThanOrEqualTo((float) most);
      }
    }
  }
}
