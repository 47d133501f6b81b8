package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.origin.Model;
import io.harmonica.repository.SamplerForm;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The engine of updates with several evaluations makes U-ViT's reference trajectories. */
@Tag("golden")
class SamplerEngineTest {
  @TempDir static Path repository;
  private static Denoiser.Interface io;

  @BeforeAll
  static void export() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      io = model.denoiser().io();
      Sampling sampling =
          Sampling.of(AnyTime.DISCRETE, "dpm-solver-fast", Spacing.UNIFORM, io.learnsVariance());
      new Exporter(model, List.of(), ExportOptions.of("dit").withStepsPerRequest(2))
          .withSampling(sampling)
          .export(repository);
    }
  }

  /** It keeps what the next evaluation needs; before the first one nothing is there but NaN. */
  @ParameterizedTest
  @CsvSource({
    "class-noconv, singlestep2_6, dpm-solver-2",
    "class-noconv, fast3_6, dpm-solver-fast",
    "class-noconv, fast3_10, dpm-solver-fast",
    "t2i, fast3_8, dpm-solver-fast"
  })
  void everyEvaluation_isTheReferences(String model, String run, String name) {
    try (Checkpoint vectors = Golden.open("uvit/" + model + "/traj_" + run + ".safetensors");
        EmbeddedRuntime runtime = EmbeddedRuntime.open(repository)) {
      float[] outputs = floats(vectors, "eps");
      float[] samples = floats(vectors, "x_eval");
      float[] x = floats(vectors, "z_init");
      float[] state = new float[x.length];
      float[] start = new float[x.length];
      Arrays.fill(state, Float.NaN);
      Arrays.fill(start, Float.NaN);
      int steps = Golden.size(vectors, "eps", 0);
      Sampler sampler = AnyTime.DISCRETE.sampler(name, steps, Spacing.UNIFORM);
      for (int s = 0; s < steps; s++) {
        float[] expected = Arrays.copyOfRange(samples, s * x.length, (s + 1) * x.length);
        assertClose("x at evaluation " + s, x, expected, trajectoryTolerance(expected));
        float[] output = Arrays.copyOfRange(outputs, s * x.length, (s + 1) * x.length);
        float[] numbers = SamplerForm.SINGLESTEP.numbers(sampler, s).orElseThrow();
        assertThat(numbers).hasSize(SamplerForm.SINGLESTEP.takes());
        float[][] made = step(runtime, x, output, state, start, numbers);
        x = made[0];
        state = made[1];
        start = made[2];
      }
      float[] expected = floats(vectors, "z_final");
      assertClose("the end", x, expected, trajectoryTolerance(expected));
    }
  }

  private static float[][] step(
      Runtime runtime,
      float[] sample,
      float[] output,
      float[] state,
      float[] start,
      float[] numbers) {
    int pictures = sample.length / (io.channels() * io.height() * io.width());
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put("sample", picture(runtime, sample, io.channels()));
    inputs.put("state", picture(runtime, state, io.channels()));
    inputs.put("start", picture(runtime, start, io.channels()));
    inputs.put("noise_prediction", picture(runtime, withVariance(output), io.outputChannels()));
    inputs.put("update", rows(runtime, numbers, pictures));
    float[] scales = new float[io.channels()];
    Arrays.fill(scales, 1);
    inputs.put("guidance", rows(runtime, scales, pictures));
    long[] own = new long[pictures];
    Arrays.setAll(own, i -> i);
    inputs.put("conditional", runtime.tensor(LongBuffer.wrap(own), pictures, 1));
    inputs.put("unconditional", runtime.tensor(LongBuffer.wrap(own), pictures, 1));
    Map<String, Tensor> made =
        runtime.infer("dit-sampler", inputs, Set.of("next_sample", "next_state", "next_start"));
    float[][] values = new float[3][sample.length];
    made.get("next_sample").floats().get(values[0]);
    made.get("next_state").floats().get(values[1]);
    made.get("next_start").floats().get(values[2]);
    inputs.values().forEach(Tensor::close);
    made.values().forEach(Tensor::close);
    return values;
  }

  private static Tensor picture(Runtime runtime, float[] values, int channels) {
    int pictures = values.length / (channels * io.height() * io.width());
    return runtime.tensor(FloatBuffer.wrap(values), pictures, channels, io.height(), io.width());
  }

  private static Tensor rows(Runtime runtime, float[] row, int pictures) {
    FloatBuffer values = FloatBuffer.allocate(row.length * pictures);
    for (int i = 0; i < pictures; i++) {
      values.put(row);
    }
    return runtime.tensor(values.flip(), pictures, row.length);
  }

  /** The exported model's predictions have one, which the engine leaves out. */
  private static float[] withVariance(float[] output) {
    int size = io.channels() * io.height() * io.width();
    float[] all = new float[output.length * io.outputChannels() / io.channels()];
    Arrays.fill(all, Float.NaN);
    for (int i = 0; i < output.length; i++) {
      all[i / size * size * io.outputChannels() / io.channels() + i % size] = output[i];
    }
    return all;
  }
}
