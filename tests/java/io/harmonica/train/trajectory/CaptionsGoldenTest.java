package io.harmonica.train.trajectory;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.PackedLatents;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.Exports;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.TorchOps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What training runs a text model on, against diffusers' trajectories. */
@Tag("golden")
class CaptionsGoldenTest {

  @ParameterizedTest
  @ValueSource(strings = {"alpha-256-like", "alpha-1024-like", "sigma-like"})
  void uncachedPictures_areDiffusers(String flavour) {
    String folder = "pixart/" + flavour;
    try (Checkpoint source = Checkpoint.open(path(folder));
        Checkpoint vectors = Golden.open(folder + "/pipeline.safetensors")) {
      Resolution resolution =
          new Resolution(8 * size(vectors, "latents", 2), 8 * size(vectors, "latents", 3));
      Model model = Model.of(source, Choices.NONE.withResolution(resolution));
      int count = size(vectors, "latents", 0);
      List<Captions.Caption> texts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        texts.add(caption(vectors, "", i));
      }
      texts.add(caption(vectors, "negative_", 0));
      Captions captions = new Captions(texts, size(vectors, "prompt_embeds", 2));
      float[] noise = floats(vectors, "latents");
      float[] both = Arrays.copyOf(noise, 2 * noise.length);
      System.arraycopy(noise, 0, both, noise.length, noise.length);
      int[] indices = new int[count];
      Arrays.setAll(indices, i -> i);
      double guidance = Golden.json(folder + "/pipeline.json").path("guidance_scale").asDouble();
      Sampler sampler = Sampler.of("dpm-solver++", 10, Spacing.LINSPACE, Diffusion.DDPM);
      try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32)) {
        Denoising denoising =
            new Denoising(
                ops,
                model.denoiser(),
                sampler,
                guidance,
                size(vectors, "latents", 1),
                Optional.of(captions));
        float[] x = denoising.uncached(new Batch(indices, both, 2, 0));
        float[] states = floats(vectors, "steps10.x");
        float[] expected = Arrays.copyOfRange(states, 10 * noise.length, 11 * noise.length);
        assertClose(
            "pictures",
            Arrays.copyOf(x, noise.length),
            expected,
            Golden.trajectoryTolerance(expected));
      }
    }
  }

  private static Captions.Caption caption(Checkpoint vectors, String prefix, int row) {
    int tokens = size(vectors, prefix + "prompt_embeds", 1);
    int size = tokens * size(vectors, prefix + "prompt_embeds", 2);
    float[] states =
        Captions.counting(
            row(floats(vectors, prefix + "prompt_embeds"), row, size),
            Arrays.copyOfRange(
                longs(vectors, prefix + "prompt_attention_mask"),
                row * tokens,
                (row + 1) * tokens));
    return new Captions.Caption(states, new float[0]);
  }

  private static float[] row(float[] values, int row, int size) {
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }

  /** A flow's, which are told a vector for the whole text, and FLUX the scale of guidance. */
  @ParameterizedTest
  @CsvSource({
    "sd3/sd3, traj_cfg, guidance_scale",
    "sd3/sd35-medium, traj_cfg, guidance_scale",
    "flux/dev, traj_plain, guidance_scale",
    "flux/schnell, traj_plain, none"
  })
  void uncachedPictures_ofAFlow_areDiffusers(String folder, String trajectory, String scale) {
    JsonNode run = Golden.json(folder + "/pipeline.json");
    try (Checkpoint source = Checkpoint.open(path(folder));
        Checkpoint vectors = Golden.open(folder + "/" + trajectory + ".safetensors")) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      Denoiser.Interface io = model.denoiser().io();
      boolean away = vectors.names().contains("negative_prompt_embeds");
      List<Captions.Caption> texts = // of the first picture alone: each has its own negative text
          List.of(ofAFlow(vectors, "", 0), ofAFlow(vectors, away ? "negative_" : "", 0));
      PackedLatents packing = new PackedLatents(io.channels(), io.height(), io.width());
      float[] noise = floats(vectors, "latents");
      float[] states = floats(vectors, "x");
      if (folder.startsWith("flux")) {
        noise = packing.unpack(noise);
        states = packing.unpack(states);
      }
      Sampler sampler =
          io.sampling()
              .withScheduler(path(folder + "/scheduler/scheduler_config.json"))
              .sampler("flow-euler", run.path("steps").asInt(), Optional.empty());
      double guidance = run.path(scale).asDouble(1);
      try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32)) {
        Denoising denoising =
            new Denoising(
                ops,
                model.denoiser(),
                sampler,
                guidance,
                io.channels(),
                Optional.of(new Captions(texts, size(vectors, "prompt_embeds", 2))));
        int size = noise.length / 2;
        float[] start = Arrays.copyOf(noise, away ? 2 * size : size);
        if (away) { // in a second row
          System.arraycopy(noise, 0, start, size, size);
        }
        float[] x = denoising.uncached(new Batch(new int[] {0}, start, away ? 2 : 1, 0));
        int last = states.length - noise.length;
        float[] expected = Arrays.copyOfRange(states, last, last + size);
        assertClose(
            "picture", Arrays.copyOf(x, size), expected, Golden.trajectoryTolerance(expected));
      }
    }
  }

  private static Captions.Caption ofAFlow(Checkpoint vectors, String prefix, int row) {
    int tokens = size(vectors, prefix + "prompt_embeds", 1);
    int size = tokens * size(vectors, prefix + "prompt_embeds", 2);
    return new Captions.Caption(
        row(floats(vectors, prefix + "prompt_embeds"), row, size),
        row(
            floats(vectors, prefix + "pooled_prompt_embeds"),
            row,
            size(vectors, prefix + "pooled_prompt_embeds", 1)));
  }
}
