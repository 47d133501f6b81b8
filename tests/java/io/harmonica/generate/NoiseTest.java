package io.harmonica.generate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.harmonica.onnx.SeededNoise;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NoiseTest {
  private static final int SIZE = 500;

  /** Of fp32, where fp64 functions of two libraries differ in their last bit. */
  private static final float ROUNDING = 5e-7f;

  @Test
  void picture_hasTheSameNoiseInAnyBatch() {
    Noise noise = new Noise(40);
    float[] start = noise.start(3, SIZE);
    float[] step = noise.ofStep(2, 0, 3, SIZE);
    for (int i = 0; i < 3; i++) {
      Noise own = new Noise(40 + i);
      assertThat(own.start(1, SIZE)).containsExactly(row(start, i));
      assertThat(own.ofStep(2, 0, 1, SIZE)).containsExactly(row(step, i));
      assertThat(noise.ofStep(2, i, 1, SIZE)).containsExactly(row(step, i));
    }
  }

  @Test
  void everyStepOfEveryPicture_hasItsOwn() {
    Set<Float> seen = new HashSet<>();
    for (int step = 0; step < 50; step++) {
      float[] values = new Noise(-3).ofStep(step, 0, 4, SIZE);
      for (int i = 0; i < 4; i++) {
        assertThat(seen.add(values[i * SIZE])).isTrue();
      }
    }
    for (float value : new Noise(-3).start(4, 1)) {
      assertThat(seen.add(value)).isTrue();
    }
  }

  @Test
  void noise_isStandardNormal_alsoAcrossNeighbouringSeeds() {
    float[] along = new Noise(1).ofStep(0, 0, 1, 20_000);
    float[] across = new float[20_000];
    for (int i = 0; i < across.length; i++) {
      across[i] = new Noise(i).ofStep(i % 7, 0, 1, 1)[0];
    }
    float[] starts = new Noise(0).start(20_000, 1);
    for (float[] values : new float[][] {along, across, starts}) {
      double mean = 0;
      double square = 0;
      double neighbour = 0;
      for (int i = 0; i < values.length; i++) {
        mean += values[i];
        square += values[i] * values[i];
        neighbour += values[i] * values[(i + 1) % values.length];
      }
      // Four standard errors of 20,000 values.
      assertThat(mean / values.length).isCloseTo(0, within(0.03));
      assertThat(square / values.length).isCloseTo(1, within(0.04));
      assertThat(neighbour / values.length).isCloseTo(0, within(0.03));
    }
  }

  /** A server's engine makes it too, of sizes that are no multiple of a block's, and any seeds. */
  @Test
  void engine_makesTheSame(@TempDir Path folder) throws Exception {
    long[] seeds = {0, 7, -1, Long.MAX_VALUE, Long.MIN_VALUE, 0x1234_5678_9ABC_DEF0L};
    Path file = folder.resolve("model.onnx");
    Files.write(file, SeededNoise.graph("seed", "noise", 3, 7, 5).bytes());
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(file.toString());
        OnnxTensor input =
            OnnxTensor.createTensor(
                environment, LongBuffer.wrap(seeds), new long[] {seeds.length, 1});
        OrtSession.Result result = session.run(Map.of("seed", input))) {
      OnnxTensor output = (OnnxTensor) result.get("noise").orElseThrow();
      assertThat(output.getInfo().getShape()).containsExactly(seeds.length, 3, 7, 5);
      float[] values = new float[seeds.length * 105];
      output.getFloatBuffer().get(values);
      for (int i = 0; i < seeds.length; i++) {
        assertThat(Arrays.copyOfRange(values, i * 105, (i + 1) * 105))
            .containsExactly(new Noise(seeds[i]).start(1, 105), within(ROUNDING));
      }
    }
  }

  /** And ten lines of NumPy. */
  @Tag("triton")
  @ParameterizedTest
  @ValueSource(longs = {0, 7, -3, Long.MIN_VALUE})
  void linesOfTheDocument_makeTheSame(long seed, @TempDir Path folder) throws Exception {
    Path file = folder.resolve("noise.f32");
    Process python =
        new ProcessBuilder(
                "tests/triton/client.sh", "noise.py", "" + seed, file.toString(), "3", "7", "5")
            .redirectErrorStream(true)
            .start();
    String said = new String(python.getInputStream().readAllBytes(), UTF_8);
    assertThat(python.waitFor()).as(said).isZero();
    float[] values = new float[105];
    ByteBuffer.wrap(Files.readAllBytes(file))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    assertThat(values).containsExactly(new Noise(seed).start(1, 105), within(ROUNDING));
  }

  private static float[] row(float[] values, int row) {
    return Arrays.copyOfRange(values, row * SIZE, (row + 1) * SIZE);
  }
}
