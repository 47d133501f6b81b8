package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.Inference;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.onnx.Precision;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Engines whose weights and activations are fp16, against the same in fp32.
 *
 * <p>Measured: one pass of random weights differs by 3.6e-3 where outputs reach about 3, and 20
 * steps of the shipped example by 70 to 72 dB PSNR, cached or not. The bounds leave room for other
 * processors' kernels.
 */
class HalfPrecisionTest {
  @TempDir Path folder;

  private Path export(Path checkpoint, Precision precision, List<Router> routers) {
    return Exports.export(
        checkpoint,
        OptionalInt.empty(),
        routers,
        ExportOptions.of("model").withPrecision(precision),
        folder.resolve(precision.name()));
  }

  @Test
  void onePass_ofRandomWeights_isNearFp32() {
    float[][] outputs = new float[2][];
    for (Precision precision : Precision.values()) {
      Path repository = export(Checkpoints.DIT, precision, List.of());
      try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
          Checkpoint io = Checkpoint.open(Checkpoints.DIT.resolve("io.safetensors"))) {
        Map<String, Object> inputs =
            Map.of(
                "sample",
                io.tensor("hidden_states").floats(),
                "timestep",
                io.tensor("timestep").longs(),
                "class_label",
                io.tensor("class_labels").longs());
        outputs[precision.ordinal()] =
            Inference.run(runtime, "model", 3, inputs).get("noise_prediction");
      }
    }
    double difference = Golden.difference(outputs[0], outputs[1]);
    assertThat(difference).isBetween(1e-6, 1e-2);
  }

  @Test
  void trajectory_ofTheShippedExample_isNearFp32_routedToo() throws Exception {
    List<Router> routers =
        List.of(
            Router.read(Checkpoints.SHAPES.resolve("routers/fora-2.json")),
            Router.read(Checkpoints.SHAPES.resolve("routers/taylor-2.json")));
    Path single = export(Checkpoints.SHAPES, Precision.FP32, routers);
    Path half = export(Checkpoints.SHAPES, Precision.FP16, routers);
    Path data = Path.of("model-block00-cc/1/model.onnx.data");
    assertThat(Files.size(half.resolve(data)))
        .isLessThan((long) (0.52 * Files.size(single.resolve(data))));
    try (Pipeline fp32 = Pipeline.open(single, "model");
        Pipeline fp16 = Pipeline.open(half, "model")) {
      assertThat(fp16.manifest().branchBytes())
          .isEqualTo(fp32.manifest().branchBytes().stream().map(bytes -> bytes / 2).toList());
      for (String router : List.of("none", "fora-2", "taylor-2")) {
        Request request = Request.of(List.of(0, 7)).withRouter(router);
        float[] expected = fp32.generate(request).latents().values();
        Latents actual = fp16.generate(request).latents();
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
          squares += Math.pow(actual.values()[i] - expected[i], 2) / expected.length;
        }
        double psnr = 10 * Math.log10(4 / squares); // values span -1..1
        assertThat(psnr).as(router).isBetween(60.0, 100.0);
      }
    }
  }
}
