package io.harmonica.train;

import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.TorchOps;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/** A run of the golden routing vectors: its model, its sampler, its numbers. */
final class RoutingRun implements AutoCloseable {
  final JsonNode config;
  final Checkpoint vectors;
  final Denoising denoising;
  final SoftRouting routing;
  private final TorchOps ops;

  RoutingRun(String run) {
    config = Golden.json(run + "/config.json");
    vectors = Golden.open(run + "/io.safetensors");
    boolean facebook = config.path("convention").asText().equals("facebook");
    JsonNode arch = Golden.json("dit-facebook/arch.json").path("config");
    OptionalInt heads = facebook ? OptionalInt.of(arch.path("heads").asInt()) : OptionalInt.empty();
    try (Checkpoint checkpoint = Golden.open(facebook ? "dit-facebook/model.pt" : "dit")) {
      Model model = Model.of(checkpoint, heads);
      ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
      Sampler sampler =
          Sampler.of(
              "ddim",
              config.path("T").asInt(),
              facebook ? Spacing.OPENAI : Spacing.LEADING,
              Diffusion.DDPM);
      org.assertj.core.api.Assertions.assertThat(sampler.timesteps())
          .isEqualTo(Timesteps.of(integers(config.path("timesteps"))));
      denoising =
          new Denoising(
              ops,
              model.denoiser(),
              sampler,
              config.path("cfg_scale").asDouble(),
              config.path("cfg_channels").asInt());
      warm(); // reads the weights while the checkpoint is open
    }
    routing = new SoftRouting(ops, new Reuse.Forecast(0), config.path("tau").asDouble());
  }

  private void warm() {
    denoising.uncached(batch(floats(vectors, "x_init")));
  }

  Batch batch(float[] noise) {
    int[] classes =
        integers(config.path("class_labels")).stream().mapToInt(Integer::intValue).toArray();
    return new Batch(classes, noise, 2, 0);
  }

  /** The table that training starts from. */
  Table table() {
    return Table.of(rows("logits"), 0);
  }

  /** A tensor's rows, by step. */
  float[][] rows(String name) {
    float[] values = floats(vectors, name);
    int rows = Golden.size(vectors, name, 0);
    int width = values.length / rows;
    float[][] table = new float[rows][];
    Arrays.setAll(table, s -> Arrays.copyOfRange(values, s * width, (s + 1) * width));
    return table;
  }

  List<Integer> timesteps() {
    return integers(config.path("timesteps"));
  }

  @Override
  public void close() {
    ops.close();
    vectors.close();
  }
}
