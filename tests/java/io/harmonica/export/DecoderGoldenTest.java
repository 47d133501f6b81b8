package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.path;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.Element;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Origin;
import io.harmonica.model.Samples;
import io.harmonica.model.Shows;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Spacing;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The decoder through its engine against diffusers. */
@Tag("golden")
class DecoderGoldenTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {"vae", "vae/legacy-names", "vae/legacy-names/diffusion_pytorch_model.bin"})
  void decoder_ofEveryLayout(String vae) {
    try (Checkpoint source = Checkpoint.open(path("pixart/alpha-256-like"));
        Checkpoint autoencoder = Checkpoint.open(path(vae))) {
      new Exporter(Model.of(source, Choices.NONE), List.of(), ExportOptions.of("pixart"))
          .withDecoder(Autoencoder.of(autoencoder))
          .export(folder);
    }
    assertDecodes("vae/io.safetensors", "latents", "image", 1e-4);
  }

  /** Relative to the largest pixel. */
  private void assertDecodes(String vectors, String input, String output, double tolerance) {
    try (Checkpoint io = Golden.open(vectors);
        EmbeddedRuntime runtime = EmbeddedRuntime.open(folder)) {
      List<Long> shape = io.tensor(input).shape();
      float[] latents = floats(io, input);
      int size = latents.length / Math.toIntExact(shape.get(0));
      float[] expected = floats(io, output);
      int pixels = expected.length / Math.toIntExact(shape.get(0));
      String model = Manifest.of(runtime.config("pixart")).decoder().model();
      for (int i = 0; i < shape.get(0); i++) {
        FloatBuffer one = FloatBuffer.wrap(Arrays.copyOfRange(latents, i * size, (i + 1) * size));
        try (Tensor given = runtime.tensor(one, 1, shape.get(1), shape.get(2), shape.get(3));
            Tensor made =
                runtime
                    .infer(model, Map.of(Names.LATENTS, given), Set.of(Names.PIXELS))
                    .get(Names.PIXELS)) {
          float[] image = new float[pixels];
          made.floats().get(image);
          float[] row = Arrays.copyOfRange(expected, i * pixels, (i + 1) * pixels);
          assertClose("image " + i, image, row, tolerance * largest(row));
        }
      }
      assertThat(shape.get(0)).isPositive();
    }
  }

  /** CompVis' names, without a configuration. */
  @Test
  void decoder_ofCompVis() {
    try (Checkpoint source = Checkpoint.open(path("pixart/alpha-256-like"));
        Checkpoint file = Golden.open("uvit/autoencoder/autoencoder_kl.pth")) {
      double scale = Golden.json("uvit/autoencoder/config.json").path("scale_factor").asDouble();
      new Exporter(Model.of(source, Choices.NONE), List.of(), ExportOptions.of("pixart"))
          .withDecoder(Autoencoder.of(file).scaledBy(scale))
          .export(folder);
    }
    assertDecodes("uvit/autoencoder/io.safetensors", "z", "decoded", 2e-5);
  }

  /**
   * 16 channels without quant convolutions: latents of a flow are shifted, by its pipelines; of a
   * diffusion they are not, whatever the file says.
   */
  @Test
  void decoder_of16Channels_shiftsLatentsOfAFlow() throws IOException {
    try (Checkpoint vae = Golden.open("vae16");
        Checkpoint io = Golden.open("vae16/io.safetensors")) {
      Autoencoder autoencoder = Autoencoder.of(vae);
      float[] latents = floats(io, "latents");
      float[] decoded = floats(io, "decoded");
      Origin flow = new Origin(Flow.of(4), "flow-euler", Spacing.LINSPACE, 16);
      assertClose("a flow's", decode(autoencoder, flow, latents), decoded, 5e-5);
      float[] shifted = latents.clone();
      for (int i = 0; i < shifted.length; i++) {
        shifted[i] += 0.1159f * 0.3611f;
      }
      Origin diffusion = new Origin(Diffusion.DDPM, "ddim", Spacing.LEADING, 16);
      assertClose("a diffusion's", decode(autoencoder, diffusion, shifted), decoded, 5e-5);
    }
  }

  private float[] decode(Autoencoder autoencoder, Origin origin, float[] latents)
      throws IOException {
    Denoiser.Interface io =
        new Denoiser.Interface(
            new Samples(16, 16, 5, 3, 2), Element.FP32, new Shows.Anything(), origin);
    Path data = folder.resolve(WeightFile.NAME);
    Files.deleteIfExists(data);
    try (WeightFile weights = WeightFile.create(data)) {
      ModelProto model = new DecoderEngine(autoencoder, io).graph(weights, Precision.FP32).model();
      weights.close();
      return Evaluation.run(
              model, folder, Map.of(Names.LATENTS, new Evaluation.Floats(latents, 2, 16, 5, 3)))
          .get(Names.PIXELS)
          .values();
    }
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}
